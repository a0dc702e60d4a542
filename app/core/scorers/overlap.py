"""bleu and chrf: overlap of n-grams with the reference, as sacrebleu computes it, divided by 100."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from app.core.model import Score
from app.core.scorers.base import TextScorer
from app.core.scorers.setting import setting
from app.core.scorers.text import quote


@dataclass(frozen=True)
class Overlap(TextScorer):
    """What bleu and chrf share. sacrebleu is loaded with the first scorer that needs it (half a second)."""

    title: ClassVar[str]

    @abstractmethod
    def metric(self, *, sentence: bool) -> Any:
        """sacrebleu's metric for single sentences or for a corpus."""

    @cached_property
    def _sentence(self) -> Any:
        return self.metric(sentence=True)

    def grade(self, reference: str, answer: str) -> Score:
        """The sentence-level score in [0, 1]."""
        value = _unit(self._sentence.sentence_score(answer, [reference]).score)
        return Score(value, f"{self.title} {value:.2f}: expected {quote(reference)}, got {quote(answer)}.")

    def corpus(self, references: Sequence[str], answers: Sequence[str]) -> float:
        """The corpus-level score in [0, 1] of answers in the order of the references; it is no mean of sentence scores."""
        if len(references) != len(answers) or not answers:
            raise ValueError(f"{len(answers)} answers cannot be scored against {len(references)} references")
        return _unit(self.metric(sentence=False).corpus_score(list(answers), [list(references)]).score)


@dataclass(frozen=True)
class Bleu(Overlap):
    """Papineni et al. 2002; single sentences with effective order, as sacrebleu's sentence_bleu."""

    name: ClassVar[str] = "bleu"
    title: ClassVar[str] = "BLEU"
    tokenize: str = setting(
        "13a", "How text is cut into tokens.", kind="str", choices=("13a", "intl", "char", "zh", "none")
    )
    casefold: bool = setting(False, "Ignore upper and lower case.", kind="bool")

    def metric(self, *, sentence: bool) -> Any:
        """BLEU; force: texts that look tokenized already are scored without a warning."""
        from sacrebleu.metrics.bleu import BLEU

        return BLEU(lowercase=self.casefold, tokenize=self.tokenize, effective_order=sentence, force=True)


@dataclass(frozen=True)
class Chrf(Overlap):
    """Popovic 2015: character n-grams, kinder to inflection than BLEU."""

    name: ClassVar[str] = "chrf"
    title: ClassVar[str] = "chrF"
    word_order: int = setting(0, "Word n-grams beside the characters; 2 gives chrF++.", kind="int", low=0, high=4)
    casefold: bool = setting(False, "Ignore upper and lower case.", kind="bool")

    def metric(self, *, sentence: bool) -> Any:  # noqa: ARG002 - the same metric serves both
        """chrF with sacrebleu's defaults: 6 characters, beta 2."""
        from sacrebleu.metrics.chrf import CHRF

        return CHRF(word_order=self.word_order, lowercase=self.casefold)


def _unit(percent: float) -> float:
    """sacrebleu gives percent, and 100.00000000000004 for a perfect text."""
    return min(1.0, max(0.0, percent / 100))
