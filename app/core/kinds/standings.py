"""How each config stands in a benchmark: answers, what they took, and what the reviewer gave them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.core.review import Rubric
from app.ports.journal import Sample
from app.ports.llm import Json


@dataclass
class Tally:
    """One config so far. costs: of the answers whose price is known. ranks, scores: from the reviewer."""

    config: str
    asked: int = 0
    answered: int = 0
    failed: int = 0
    seconds: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    ranks: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    measured: list[float] = field(default_factory=list)

    def add(self, answer: Sample, *, read: bool) -> None:
        """Count an answer. read: whether it says anything."""
        self.asked += 1
        self.answered += read
        self.failed += not read
        if read:
            self.seconds.append(answer.seconds)
            self.costs += [] if answer.cost_usd is None else [answer.cost_usd]
            self.measured += [] if answer.score is None else [answer.score]

    def judge(self, row: Mapping[str, Json]) -> None:
        """Count a place in a review."""
        self.ranks.append(row["rank"])
        self.scores.append(row["score"])

    def as_json(self) -> Json:
        """The means, each with its n."""
        return {
            "config": self.config,
            "asked": self.asked,
            "answered": self.answered,
            "failed": self.failed,
            "seconds": _mean(self.seconds),
            "cost_usd": _mean(self.costs) if len(self.costs) == self.answered else None,
            "reviews": len(self.scores),
            "score": _mean(self.scores),
            "rank": _mean(self.ranks),
            "measured": _mean(self.measured),
        }


def tallies(names: Mapping[str, str]) -> dict[str, Tally]:
    """An empty tally for each candidate, by its digest."""
    return {digest: Tally(name) for digest, name in names.items()}


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def conclude(standing: Sequence[Tally], *, done: int, asked: int, stopped: str, scale: Rubric) -> Json:
    """The outcome: how everybody stands, and in a sentence whom the reviewer likes best."""
    table = [one.as_json() for one in standing]
    reviewed = sorted((row for row in table if row["reviews"]), key=lambda row: (-row["score"], row["rank"]))
    return {
        "verdict": "reviewed" if reviewed else "answered" if any(row["answered"] for row in table) else "nothing",
        "sentence": _sentence(reviewed, scale) if reviewed else _unreviewed(table),
        "standings": table,
        "runs": {"done": done, "asked": asked},
        "stopped_by": "budget" if stopped else "end",
        "stopped_why": f"the budget ended it after {done} of {asked} runs: {stopped}" if stopped else "",
    }


def _sentence(reviewed: Sequence[Json], scale: Rubric) -> str:
    best = reviewed[0]
    said = (
        f"{best['config']} has the best reviews: {best['score']:.1f} on a scale to {scale.high} (n = {best['reviews']})"
    )
    if len(reviewed) == 1:
        return f"{said}; no other config has any"
    second = reviewed[1]
    return f"{said}, before {second['config']} with {second['score']:.1f} (n = {second['reviews']})"


def _unreviewed(table: Sequence[Json]) -> str:
    answered, asked = (sum(row[name] for row in table) for name in ("answered", "asked"))
    return f"No review: {answered} of {asked} answers wait to be ranked by people"
