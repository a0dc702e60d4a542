"""Which config to take: quality, speed and cost in one weighted score, with the margin to the next and whether that is noise.

Score = 0.60 quality + 0.30 speed + 0.10 cost, the weights being the reader's. Quality is 0.7 human + 0.3 AI where both exist,
else the one that exists. Speed and cost are min-max normalised over the means of the configs, 0.5 when all are equal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.core.stats.numbers import uniform_rows

HUMAN, AI = 0.7, 0.3
RESAMPLES = 2_000
LEVEL = 0.95
AGREED = 0.7
HIGH, MEDIUM = 4, 2
"""Least confidence points for high and for medium confidence."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Of quality, speed and cost; each at least 0, together 1."""

    quality: float = 0.60
    speed: float = 0.30
    cost: float = 0.10

    @classmethod
    def of(cls, quality: float, speed: float, cost: float) -> Weights:
        """The same proportions with the sum 1. Raises: ValueError when none is above 0, or one is below."""
        total = quality + speed + cost
        if min(quality, speed, cost) < 0 or not math.isfinite(total) or total <= 0:
            raise ValueError("weights must be 0 or more, and one of them above 0")
        return cls(quality / total, speed / total, cost / total)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one config on one prompt: means over its answers, failed and unacceptable ones left out.

    human, ai: quality in [0, 1]. seconds, cost_usd: None when unknown.
    """

    human: float | None = None
    ai: float | None = None
    seconds: float | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """One config: its terms, each in [0, 1] and None when unknown, and the total. n: prompts with any quality."""

    config: str
    total: float
    quality: float
    human: float | None
    ai: float | None
    speed: float | None
    cost: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What confidence rests on. ranker_tau: mean tau between people, None under two of them. consensus: configs, best first."""

    reviewed: bool = False
    ranked: bool = False
    ranker_tau: float | None = None
    consensus: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Recommendation:
    """winner: None when no config has any quality. margin: of the winner's total over the runner-up's, with its interval.

    noise: whether the interval holds 0, so that the next prompts could turn it round; None without a runner-up or with fewer
    than two prompts in common. left_out: terms that could not be counted, with the reason.
    """

    ranking: tuple[Scored, ...]
    margin: float | None = None
    low: float | None = None
    high: float | None = None
    noise: bool | None = None
    confidence: str = "low"
    points: int = 0
    reasons: tuple[str, ...] = ()
    left_out: tuple[str, ...] = field(default=())
    prompts: int = 0

    @property
    def winner(self) -> Scored | None:
        """The best config."""
        return self.ranking[0] if self.ranking else None

    @property
    def runner_up(self) -> Scored | None:
        """The second best."""
        return self.ranking[1] if len(self.ranking) > 1 else None


def recommend(
    facts: Mapping[str, Mapping[str, Facts]], weights: Weights, evidence: Evidence, *, seed: int = 0
) -> Recommendation:
    """facts: by config, then by prompt."""
    table = _Table(facts, weights)
    ranking = tuple(sorted(table.scored(), key=lambda one: (-one.total, one.config)))
    if not ranking:
        return Recommendation((), reasons=("no answer has been judged yet",))
    points, reasons = _confidence(ranking[0].config, evidence)
    level = "high" if points >= HIGH else "medium" if points >= MEDIUM else "low"
    found = Recommendation(ranking, None, None, None, None, level, points, reasons, table.left_out)
    if len(ranking) == 1:
        return found
    margin = ranking[0].total - ranking[1].total
    n, low, high = table.interval(ranking[0].config, ranking[1].config, seed)
    noise = None if low is None else low <= 0
    return Recommendation(ranking, margin, low, high, noise, level, points, reasons, table.left_out, n)


def _confidence(winner: str, evidence: Evidence) -> tuple[int, tuple[str, ...]]:
    """The points and what each is for, those that are missing too."""
    tau = evidence.ranker_tau
    agreed = tau is not None and tau >= AGREED
    among = winner in list(evidence.consensus)[:2]
    told = (
        (1, evidence.reviewed, "a model has reviewed the answers", "no model has reviewed the answers"),
        (2, evidence.ranked, "people have ranked answers", "no person has ranked an answer"),
        (1, agreed, "people agree with each other", _disagreed(tau)),
        (
            1,
            among,
            "it is among the first two of people's consensus",
            "it is not among the first two of people's consensus",
        ),
    )
    return sum(worth for worth, is_so, _, _ in told if is_so), tuple(
        f"+{worth}: {yes}" if is_so else f"+0 of {worth}: {no}" for worth, is_so, yes, no in told
    )


def _disagreed(tau: float | None) -> str:
    return (
        "fewer than two people ranked the same answers" if tau is None else f"people agree too little (tau {tau:.2f})"
    )


class _Table:
    """The facts as arrays, configs by prompts, NaN where nothing is known; only configs with a quality are in it."""

    def __init__(self, facts: Mapping[str, Mapping[str, Facts]], weights: Weights) -> None:
        prompts = sorted({prompt for known in facts.values() for prompt in known})
        has = [name for name in facts if any(f.human is not None or f.ai is not None for f in facts[name].values())]
        self.names = has

        def column(field: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
            rows = [[getattr(facts[name].get(prompt, Facts()), field) for prompt in prompts] for name in has]
            return np.array(rows, dtype=np.float64).reshape(len(has), len(prompts))

        self.human, self.ai, self.seconds, self.cost = (column(n) for n in ("human", "ai", "seconds", "cost_usd"))
        self.weights, self.left_out = self._usable(weights)

    def _usable(self, weights: Weights) -> tuple[Weights, tuple[str, ...]]:
        """Weights without the terms that some config lacks: an unknown price is not 0, nor is it the worst."""
        parts, told = {"quality": weights.quality}, []
        for name, values, what in (("speed", self.seconds, "time"), ("cost", self.cost, "price")):
            unknown = [self.names[i] for i in range(len(self.names)) if np.isnan(values[i]).all()]
            parts[name] = 0.0 if unknown else getattr(weights, name)
            if unknown and getattr(weights, name):
                told.append(f"{name} is not counted: the {what} of {', '.join(unknown)} is unknown")
        if not sum(parts.values()):
            parts["quality"] = 1.0
        return Weights.of(**parts), tuple(told)

    def scored(self) -> list[Scored]:
        if not self.names:
            return []
        every = np.arange(self.human.shape[1])[None, :]
        human, ai, speed, cost, quality, total = (values[0] for values in self._terms(every))
        known = ~(np.isnan(self.human) & np.isnan(self.ai))
        return [
            Scored(
                name, float(total[i]), float(quality[i]), _maybe(human[i]), _maybe(ai[i]), _maybe(speed[i]), _maybe(cost[i]),
                int(known[i].sum()),
            )
            for i, name in enumerate(self.names)
        ]  # fmt: skip

    def _terms(self, drawn: np.ndarray[tuple[int, int], np.dtype[np.intp]]) -> tuple[np.ndarray, ...]:
        """Each term of each config for each drawing of prompts: arrays of drawings by configs."""
        human, ai, seconds, cost = (_means(v, drawn) for v in (self.human, self.ai, self.seconds, self.cost))
        quality = np.where(np.isnan(human), ai, np.where(np.isnan(ai), human, HUMAN * human + AI * ai))
        speed, cheap = _better_when_less(seconds), _better_when_less(cost)
        w = self.weights
        total = w.quality * quality + w.speed * np.nan_to_num(speed) + w.cost * np.nan_to_num(cheap)
        return human, ai, speed, cheap, quality, total

    def interval(self, winner: str, second: str, seed: int) -> tuple[int, float | None, float | None]:
        """The interval of the margin: prompts are drawn anew with replacement, the same ones for every config."""
        n = self.human.shape[1]
        known = ~(np.isnan(self.human) & np.isnan(self.ai))
        a, b = self.names.index(winner), self.names.index(second)
        shared = int((known[a] & known[b]).sum())
        if shared < 2:
            return shared, None, None
        drawn = np.concatenate([(rows * n).astype(np.intp) for rows in uniform_rows(seed, RESAMPLES, n)])
        total = self._terms(drawn)[5]
        margins = np.sort((total[:, a] - total[:, b])[~np.isnan(total[:, a] - total[:, b])])
        tail = (1 - LEVEL) / 2
        low, high = margins[int(tail * len(margins))], margins[min(len(margins) - 1, int((1 - tail) * len(margins)))]
        return shared, float(low), float(high)


def _means(values: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Means over the drawn prompts that are known; NaN where none is. Drawings by configs."""
    known = ~np.isnan(values)
    sums = np.stack([np.nan_to_num(row)[drawn].sum(axis=1) for row in values], axis=1)
    counts = np.stack([row[drawn].sum(axis=1) for row in known], axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _better_when_less(values: np.ndarray) -> np.ndarray:
    """1 for the least of the configs, 0 for the most, 0.5 when all are equal; NaN stays."""
    if not values.shape[1] or np.isnan(values).all():
        return np.full(values.shape, np.nan)
    low = np.nan_to_num(values, nan=np.inf).min(axis=1, keepdims=True)
    high = np.nan_to_num(values, nan=-np.inf).max(axis=1, keepdims=True)
    span = high - low
    spread = np.isfinite(span) & (span > 0)
    scaled = 1 - (values - low) / np.where(spread, span, 1)
    return np.where(np.isnan(values), np.nan, np.where(spread, scaled, 0.5))


def _maybe(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
