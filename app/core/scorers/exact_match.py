"""exact_match: 1 when answer and reference are the same text after the chosen normalisation, else 0."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import ClassVar

from app.core.model import Score
from app.core.scorers.base import TextScorer, binary
from app.core.scorers.setting import setting
from app.core.scorers.text import folded, quote

_ARTICLES = re.compile(r"\b(?:a|an|the)\b", re.IGNORECASE)


@dataclass(frozen=True)
class ExactMatch(TextScorer):
    """Both texts are brought to Unicode NFC first: the same letter written in two ways is the same letter."""

    name: ClassVar[str] = "exact_match"
    strip: bool = setting(True, "Ignore white space around the texts.", kind="bool")
    casefold: bool = setting(False, "Ignore upper and lower case.", kind="bool")
    punctuation: bool = setting(False, "Ignore punctuation.", kind="bool")
    articles: bool = setting(False, "Ignore the English articles a, an and the.", kind="bool")
    whitespace: bool = setting(False, "Count every run of white space as one space.", kind="bool")

    def grade(self, reference: str, answer: str) -> Score:
        """1 or 0; the feedback says when only the form was wrong."""
        expected, got = self.normalised(reference), self.normalised(answer)
        if expected == got:
            return binary(True, "")
        return binary(False, f"Expected {quote(reference)}, got {quote(answer)}{_hint(reference, answer)}.")

    def normalised(self, text: str) -> str:
        """The text as it is compared."""
        text = unicodedata.normalize("NFC", text)
        if self.casefold:
            text = unicodedata.normalize("NFC", text.casefold())
        if self.punctuation:
            text = "".join(c for c in text if not unicodedata.category(c).startswith("P"))
        if self.articles:
            text = " ".join(_ARTICLES.sub(" ", text).split())
        if self.whitespace:
            text = " ".join(text.split())
        return text.strip() if self.strip else text


def _hint(reference: str, answer: str) -> str:
    expected, got = folded(reference), folded(answer)
    if expected == got:
        return "; only upper and lower case or spaces differ"
    if expected and expected in got:
        return "; the expected text is in the answer, but it must stand alone"
    return ""
