"""weighted: the mean of several scorers' values, each counted by its weight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.model import Ask, Case, Response, Score
from app.core.scorers.base import Configured
from app.core.scorers.text import clip
from app.ports.llm import Json, Message, ModelRef


@dataclass(frozen=True)
class Weighted:
    """sum(weight x value) / sum(weights). A part that cannot read the answer counts 0; when none can, neither can this.

    A part that gives no score (Unscored) leaves the whole without one.
    """

    parts: Sequence[tuple[Configured, float]]

    @property
    def spec(self) -> Json:
        """The parts' specs with their weights."""
        return {"name": "weighted", "scorers": [scorer.spec | {"weight": weight} for scorer, weight in self.parts]}

    @property
    def names(self) -> list[str]:
        """The parts' names; the second exact_match is called exact_match#2."""
        seen: Counter[str] = Counter()
        names = []
        for scorer, _ in self.parts:
            name = scorer.spec["name"]
            seen[name] += 1
            names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
        return names

    def longest(self, case: Case) -> Sequence[tuple[ModelRef, Sequence[Message]]]:
        """What its parts ask."""
        return [one for scorer, _ in self.parts for one in scorer.longest(case)]

    async def score(self, case: Case, response: Response, ask: Ask) -> Score:
        """The weighted mean; Score.parts has every part's value by name."""
        # One after the other: the order of a piece's calls is part of their keys.
        scores = [await scorer.score(case, response, ask) for scorer, _ in self.parts]
        weights = [weight for _, weight in self.parts]
        mean = sum(weight * score.value for weight, score in zip(weights, scores, strict=True)) / sum(weights)
        named = list(zip(self.names, scores, strict=True))
        return Score(
            min(1.0, max(0.0, mean)),
            " ".join(f"{name} {score.value:.2f}: {clip(score.feedback, 300)}" for name, score in named),
            parsed=any(score.parsed for score in scores),
            parts={name: score.value for name, score in named},
        )
