"""regex: reads the answer with an RE2 pattern; a group's text must equal the reference, without a group a match is enough."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import re2

from app.core.model import Score
from app.core.scorers.base import TextScorer, binary
from app.core.scorers.setting import setting
from app.core.scorers.text import collapsed, folded, quote
from app.core.storable import storable

MAX_PATTERN = 10_000
"""Most characters of a pattern."""


@dataclass(frozen=True)
class Regex(TextScorer):
    """RE2 takes time linear in the answer, whatever a person's pattern says; it has no backreferences and no lookaround."""

    name: ClassVar[str] = "regex"
    pattern: str = setting(
        "",
        "RE2 pattern. With a group: the last match's first group must equal the reference. Without: a match is enough. "
        "Empty: each reference is a pattern itself.",
        kind="str",
    )
    casefold: bool = setting(False, "Ignore upper and lower case.", kind="bool")
    full: bool = setting(False, "The whole answer must match, not a part of it.", kind="bool")

    def __post_init__(self) -> None:
        """Raises: ValueError naming the setting."""
        super().__post_init__()
        try:
            _ = self._compiled
        except ValueError as error:
            raise ValueError(f"pattern is not a valid RE2 pattern: {error}") from None

    @cached_property
    def _compiled(self) -> Any:
        return self._compile(self.pattern)

    def _compile(self, pattern: str) -> Any:
        if len(pattern) > MAX_PATTERN:
            raise ValueError(f"it has {len(pattern)} characters, more than {MAX_PATTERN}")
        options = re2.Options()
        options.log_errors = False
        options.case_sensitive = not self.casefold
        try:
            return re2.compile(storable(pattern), options)
        except re2.error as error:
            reason = error.args[0] if error.args else "unknown error"
            raise ValueError(reason.decode() if isinstance(reason, bytes) else str(reason)) from None

    def grade(self, reference: str, answer: str) -> Score:
        """1 or 0; unreadable (parsed False) when a pattern with a group matches nothing."""
        if not self.pattern:
            return self._by_reference(reference, answer)
        found = self._last(self._compiled, answer)
        if self._compiled.groups == 0:
            return binary(
                found is not None, f"Expected an answer that matches {quote(self.pattern)}, got {quote(answer)}."
            )
        if found is None or found.group(1) is None:
            sentence = f"Expected {quote(reference)} in the form {quote(self.pattern)}, got {quote(answer)}."
            return Score(0.0, sentence, parsed=False)
        read = folded if self.casefold else collapsed
        got = found.group(1)
        return binary(read(got) == read(reference), f"Expected {quote(reference)}, read {quote(got)} in the answer.")

    def _by_reference(self, reference: str, answer: str) -> Score:
        try:
            found = self._last(self._compile(reference), answer)
        except ValueError as error:
            return Score(0.0, f"The reference {quote(reference)} is not a valid RE2 pattern: {error}.")
        return binary(found is not None, f"Expected an answer that matches {quote(reference)}, got {quote(answer)}.")

    def _last(self, compiled: Any, answer: str) -> re.Match[str] | None:
        text = storable(answer).strip()
        if self.full:
            whole: re.Match[str] | None = compiled.fullmatch(text)
            return whole
        last = None
        for last in compiled.finditer(text):  # noqa: B007 - the last one is wanted
            pass
        return last
