"""rouge_l: how much of the reference's word order the answer keeps, as the F1 of the longest common subsequence of words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rapidfuzz.distance import LCSseq

from app.core.model import Score
from app.core.scorers.base import CORRECT, TextScorer
from app.core.scorers.text import quote, words

MOST_WORDS = 20_000
"""Words compared of each text: the time grows with the product of the lengths."""


@dataclass(frozen=True)
class RougeL(TextScorer):
    """Lin 2004 on whole texts, beta 1; words are casefolded runs of letters and digits, without stemming. No settings."""

    name: ClassVar[str] = "rouge_l"

    def grade(self, reference: str, answer: str) -> Score:
        """2PR / (P + R), where P and R are the share of the answer's and of the reference's words in the common subsequence."""
        expected, got = words(reference)[:MOST_WORDS], words(answer)[:MOST_WORDS]
        if expected == got:
            return Score(1.0, CORRECT)
        common = LCSseq.similarity(expected, got)
        value = 2 * common / (len(expected) + len(got))
        return Score(value, _feedback(value, common, (reference, expected), (answer, got)))


def _feedback(value: float, common: int, wanted: tuple[str, list[str]], given: tuple[str, list[str]]) -> str:
    (reference, expected), (answer, got) = wanted, given
    return (
        f"ROUGE-L {value:.2f}: {common} of the reference's {len(expected)} words come in this order, among {len(got)} words. "
        f"Expected {quote(reference)}, got {quote(answer)}."
    )
