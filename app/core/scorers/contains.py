"""contains: 1 when the reference occurs somewhere in the answer, else 0."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import ClassVar

from app.core.model import Score
from app.core.scorers.base import TextScorer, binary
from app.core.scorers.setting import setting
from app.core.scorers.text import collapsed, folded, quote


@dataclass(frozen=True)
class Contains(TextScorer):
    """White space is collapsed on both sides. Beware: an answer that lists every label contains the right one too."""

    name: ClassVar[str] = "contains"
    casefold: bool = setting(True, "Ignore upper and lower case.", kind="bool")
    whole_words: bool = setting(False, "Do not count an occurrence inside a longer word.", kind="bool")

    def grade(self, reference: str, answer: str) -> Score:
        """1 or 0. An empty reference is contained in an empty answer only."""
        read = folded if self.casefold else collapsed
        wanted, text = read(reference), read(answer)
        found = self._occurs(wanted, text) if wanted else not text
        return binary(found, f"Expected an answer that contains {quote(reference)}, got {quote(answer)}.")

    def _occurs(self, wanted: str, text: str) -> bool:
        start = text.find(wanted)
        while start >= 0 and self.whole_words and not _stands_alone(text, start, start + len(wanted)):
            start = text.find(wanted, start + 1)
        return start >= 0


def _stands_alone(text: str, start: int, end: int) -> bool:
    before = start == 0 or not (_in_word(text[start - 1]) and _in_word(text[start]))
    after = end == len(text) or not (_in_word(text[end - 1]) and _in_word(text[end]))
    return before and after


def _in_word(char: str) -> bool:
    return char == "_" or unicodedata.category(char)[0] in "LNM"
