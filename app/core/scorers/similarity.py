"""similarity: 1 when equal but for case and spaces, else 0.7 x difflib ratio + 0.3 x share of the reference's words present."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import ClassVar

from app.core.model import Score
from app.core.scorers.base import CORRECT, TextScorer
from app.core.scorers.text import folded, quote, words

PERFECT = 0.9
"""From this value on an answer counts as right; the score itself is not rounded up."""
LONGEST = 5_000
"""difflib's time grows with the product of the lengths: of longer texts, words are compared and not characters."""
MOST_WORDS = 5_000
"""Words compared of each of two longer texts."""


@dataclass(frozen=True)
class Similarity(TextScorer):
    """Lenient comparison of short free text. It has no settings."""

    name: ClassVar[str] = "similarity"

    def grade(self, reference: str, answer: str) -> Score:
        """Between 0 and 1; PERFECT or more is told as correct."""
        value = likeness(reference, answer)
        if value >= PERFECT:
            return Score(value, CORRECT)
        missing = _missing(reference, answer)
        lacks = f"; missing words: {', '.join(missing[:10])}" if missing else ""
        return Score(value, f"Similarity {value:.2f}: expected {quote(reference)}, got {quote(answer)}{lacks}.")


def likeness(reference: str, answer: str) -> float:
    """The formula of this module, in [0, 1]. A word of the reference is present when the answer has it anywhere."""
    expected, got = folded(reference), folded(answer)
    if expected == got:
        return 1.0
    wanted = words(reference)
    present = set(words(answer))
    share = sum(word in present for word in wanted) / len(wanted) if wanted else 0.0
    return 0.7 * _ratio(expected, got) + 0.3 * share


def _ratio(expected: str, got: str) -> float:
    if max(len(expected), len(got)) <= LONGEST:
        return SequenceMatcher(None, expected, got).ratio()
    return SequenceMatcher(None, expected.split()[:MOST_WORDS], got.split()[:MOST_WORDS]).ratio()


def _missing(reference: str, answer: str) -> list[str]:
    present = set(words(answer))
    return list(dict.fromkeys(word for word in words(reference) if word not in present))
