"""What a training can be made of, told for people: the scorers with their settings, the strategies."""

from __future__ import annotations

from dataclasses import dataclass

from app.core import scorers
from app.core.optimizers import STRATEGIES
from app.core.scorers.setting import Setting


@dataclass(frozen=True)
class ScorerChoice:
    """A scorer. summary: when it gives which score, in a sentence."""

    name: str
    title: str
    summary: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True)
class StrategyChoice:
    """A way to make proposals. asks: whether it needs an optimiser model."""

    name: str
    title: str
    summary: str
    asks: bool


_SCORERS = {
    "exact_match": (
        "Exact match",
        "1 when answer and reference are the same text, else 0. For labels and short answers.",
    ),
    "contains": ("Contains", "1 when the reference occurs in the answer. Beware of answers that list every label."),
    "regex": ("Regular expression", "Reads the answer with a pattern; its group must equal the reference."),
    "numeric": ("Number", "1 when the last number of the answer equals the reference within a tolerance."),
    "similarity": ("Similarity", "Between 0 and 1 by shared letters and words. For short free text."),
    "json_match": ("JSON", "The share of the fields that are right. For extraction."),
    "json_schema": ("JSON schema", "1 when the answer is JSON that follows a schema. For the form alone; combine it."),
    "bleu": ("BLEU", "Overlap of word groups with the reference. For translations."),
    "chrf": ("chrF", "Overlap of letter groups with the reference. For translations, kinder to word forms than BLEU."),
    "rouge_l": ("ROUGE-L", "How much of the reference's words come in the same order. For summaries."),
    "semantic": (
        "Meaning",
        "Likeness of meaning by a local embedding model. For free text that may be put in other words.",
    ),
    "rubric": (
        "Rubric",
        "A judge model grades each answer from 1 to 5 by your criteria. Takes a call for each answer.",
    ),
    "python": ("Python file", "Your own function score(input, reference, response), where the operator allows code."),
}
_STRATEGIES = {
    "auto": "Automatic",
    "full_rewrite": "Full rewrite",
    "targeted_edit": "Targeted edit",
    "example_addition": "Example addition",
    "evolutionary": "Evolutionary",
    "reflective_pareto": "Reflective Pareto",
}


def scorer_menu() -> list[ScorerChoice]:
    """Every scorer, in the order of the registry."""
    return [
        ScorerChoice(name, *_told(_SCORERS.get(name), name), tuple(scorers.settings(name))) for name in scorers.SCORERS
    ]


def strategy_menu() -> list[StrategyChoice]:
    """Every strategy, in the order of the registry."""
    return [
        StrategyChoice(name, _STRATEGIES.get(name, name), strategy.summary, strategy.needs_optimizer)
        for name, strategy in STRATEGIES.items()
    ]


def _told(words: tuple[str, str] | None, name: str) -> tuple[str, str]:
    return words or (name.replace("_", " ").capitalize(), "")
