"""json_match: the answer must be JSON with the same fields as the reference; partial credit per field."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final

from app.core.model import Score
from app.core.scorers import schema as schemas
from app.core.scorers.base import CORRECT, TextScorer
from app.core.scorers.setting import setting
from app.core.scorers.text import clip, quote
from app.core.scorers.unwrap import Unreadable, loads, unwrap
from app.ports.llm import Json

MISSING: Final = object()
"""Stands for a field that is not there; null is a value."""


@dataclass(frozen=True)
class JsonMatch(TextScorer):
    """1 is 1.0 but not true, "7" is not 7, and the order of fields does not matter.

    An answer that is no JSON is unreadable (parsed False); one that breaks the schema scores 0.
    """

    name: ClassVar[str] = "json_match"
    fields: tuple[str, ...] = setting(
        (),
        "Fields to compare, such as item,address.city,lines.0.price; empty: every field of the reference, and a field too "
        "many counts as a wrong one.",
        kind="list",
    )
    schema: Mapping[str, Any] = setting({}, "JSON schema that the answer must follow.", kind="json")
    partial: bool = setting(True, "Score the share of right fields; otherwise 1 only when all are right.", kind="bool")
    strict: bool = setting(False, "The whole answer must be JSON: no text and no code fence around it.", kind="bool")
    casefold: bool = setting(False, "Ignore upper and lower case in texts.", kind="bool")
    tolerance: float = setting(
        0.0, "Largest difference between two numbers that are still equal.", kind="float", low=0.0
    )

    def __post_init__(self) -> None:
        """Raises: ValueError naming the setting."""
        super().__post_init__()
        _ = self._validator

    @cached_property
    def _validator(self) -> schemas.Validator | None:
        return schemas.validator(self.schema) if self.schema else None

    def grade(self, reference: str, answer: str) -> Score:
        """Share of right fields, or 1 and 0 without partial credit."""
        try:
            expected = loads(reference)
        except Unreadable as error:
            return Score(0.0, f"The reference {quote(reference)} is not JSON, so no answer can be right: {error}.")
        try:
            got = loads(answer) if self.strict else unwrap(answer)
        except Unreadable as error:
            return Score(0.0, f"Expected JSON such as {quote(reference)}, got {quote(answer)}: {error}.", parsed=False)
        if self._validator and (broken := self._validator.flaws(got)):
            return Score(0.0, f"The answer breaks the schema: {clip(broken, 500)}. Expected {quote(reference)}.")
        return self._compare(expected, got)

    def _compare(self, expected: Json, got: Json) -> Score:
        pairs = self._pairs(expected, got)
        wrong = [(name, a, b) for name, a, b in pairs if not self._same(a, b)]
        if not wrong:
            return Score(1.0, CORRECT)
        value = 1 - len(wrong) / len(pairs) if self.partial else 0.0
        told = "; ".join(_difference(*one) for one in wrong[:5])
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        return Score(value, f"{len(pairs) - len(wrong)} of {len(pairs)} fields are right: {told}{more}.")

    def _pairs(self, expected: Json, got: Json) -> list[tuple[str, Json, Json]]:
        if self.fields:
            return [(path, _at(expected, path), _at(got, path)) for path in self.fields]
        if isinstance(expected, dict) and isinstance(got, dict) and (expected or got):
            return [(key, expected.get(key, MISSING), got.get(key, MISSING)) for key in {**expected, **got}]
        if isinstance(expected, list) and isinstance(got, list) and (expected or got):
            longest = range(max(len(expected), len(got)))
            return [(f"[{i}]", _item(expected, i), _item(got, i)) for i in longest]
        return [("", expected, got)]

    def _same(self, expected: Json, got: Json) -> bool:
        if isinstance(expected, dict) and isinstance(got, dict):
            return expected.keys() == got.keys() and all(self._same(expected[key], got[key]) for key in expected)
        if isinstance(expected, list) and isinstance(got, list):
            return len(expected) == len(got) and all(map(self._same, expected, got))
        if isinstance(expected, str) and isinstance(got, str):
            return self._text(expected) == self._text(got)
        if _is_number(expected) and _is_number(got):
            return bool(expected == got) or abs(expected - got) <= self.tolerance
        return type(expected) is type(got) and bool(expected == got)

    def _text(self, text: str) -> str:
        text = unicodedata.normalize("NFC", text).strip()
        return unicodedata.normalize("NFC", text.casefold()) if self.casefold else text


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _at(value: Json, path: str) -> Json:
    """The value under a path, whose numbers count from 0 in a list; a key that holds the dots itself wins."""
    head, dot, rest = path.partition(".")
    if isinstance(value, list) and head.isdecimal() and len(head) < 10:
        item = _item(value, int(head))
        return _at(item, rest) if dot else item
    if not isinstance(value, dict):
        return MISSING
    if path in value:
        return value[path]
    return _at(value[head], rest) if dot and head in value else MISSING


def _item(values: Sequence[Json], index: int) -> Json:
    return values[index] if index < len(values) else MISSING


def _difference(name: str, expected: Json, got: Json) -> str:
    label = f"{name}: " if name else ""
    if expected is MISSING:
        return f"{label}not expected, got {_shown(got)}"
    return f"{label}expected {_shown(expected)}, {'missing' if got is MISSING else f'got {_shown(got)}'}"


def _shown(value: Json) -> str:
    return clip(json.dumps(value, ensure_ascii=False), 80)
