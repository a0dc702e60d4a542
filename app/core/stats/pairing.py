"""Two versions are compared on the examples that both have scored, pair by pair."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

from app.core.stats.interval import score_of
from app.core.stats.significance import bootstrap_interval, mcnemar_exact, sign_flip
from app.ports.journal import Sample
from app.ports.llm import Json

RIGHT = 0.9
"""An answer counts as right from this score on; 0/1 scores are as expected, graded ones have room for a comma."""

Cell: TypeAlias = Literal["fixed", "broken", "both_right", "both_wrong", "unscored"]


@dataclass(frozen=True, slots=True)
class Paired:
    """A paired comparison. delta: mean of after minus before, in [-1, 1], with its bootstrap interval.

    n: cases scored on both sides; asked: cases in all. before, after: mean scores over the n cases. level: of the interval.
    sd: standard deviation of the differences. test: what gave the two-sided p_value. fixed, broken: ids of cases that became
    right or stopped being right. better, worse: cases whose score rose or fell at all. None: nothing to compare.
    """

    n: int
    asked: int
    delta: float | None
    low: float | None
    high: float | None
    p_value: float | None
    test: str
    fixed: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    both_right: int = 0
    both_wrong: int = 0
    better: int = 0
    worse: int = 0
    before: float | None = None
    after: float | None = None
    sd: float | None = None
    level: float = 0.95

    @property
    def coverage(self) -> float:
        """Share of the cases that both sides have scored; 0 when nothing was asked."""
        return self.n / self.asked if self.asked else 0.0

    def as_json(self) -> Json:
        """The fields by name, and the coverage."""
        lists = {"fixed": list(self.fixed), "broken": list(self.broken)}
        return asdict(self) | lists | {"coverage": self.coverage}


def cell(before: float | None, after: float | None) -> Cell:
    """Where a case stands in the two-by-two table; a missing score makes it "unscored"."""
    if before is None or after is None:
        return "unscored"
    if before >= RIGHT:
        return "both_right" if after >= RIGHT else "broken"
    return "fixed" if after >= RIGHT else "both_wrong"


def paired(before: Sequence[Sample], after: Sequence[Sample], *, seed: int, level: float = 0.95) -> Paired:
    """Compare two reports over the same cases; deterministic for a seed. level: of the interval, in (0, 1).

    Pairs are (case, repeat); the repeats of a case are averaged, so that the cases are independent. McNemar's exact test when
    all scores are 0 or 1, else the sign-flip test.
    """
    scores = {case: (ours, other) for case, ours, other in pairs(before, after)}
    asked = len({s.case for s in (*before, *after)})
    if not scores:
        return Paired(0, asked, None, None, None, None, "mcnemar_exact")
    differences = sorted(b - a for a, b in scores.values())  # the interval must not depend on the order of the cases
    low, high = bootstrap_interval(differences, seed=seed, level=level)
    cells = {case: cell(a, b) for case, (a, b) in scores.items()}
    fixed, broken = (tuple(c for c, where in cells.items() if where == kind) for kind in ("fixed", "broken"))
    binary = all(score in (0.0, 1.0) for pair in scores.values() for score in pair)
    return Paired(
        n=len(scores),
        asked=asked,
        delta=_mean(differences),
        low=low,
        high=high,
        p_value=mcnemar_exact(len(fixed), len(broken)) if binary else sign_flip(differences, seed=seed),
        test="mcnemar_exact" if binary else "sign_flip",
        fixed=fixed,
        broken=broken,
        both_right=sum(where == "both_right" for where in cells.values()),
        both_wrong=sum(where == "both_wrong" for where in cells.values()),
        better=sum(d > 0 for d in differences),
        worse=sum(d < 0 for d in differences),
        before=_mean([a for a, _ in scores.values()]),
        after=_mean([b for _, b in scores.values()]),
        sd=_deviation(differences),
        level=level,
    )


def by_case(samples: Sequence[Sample]) -> dict[str, list[Sample]]:
    """The samples of each case, in the order of their first."""
    found: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        found[sample.case].append(sample)
    return dict(found)


def pairs(before: Sequence[Sample], after: Sequence[Sample]) -> Iterator[tuple[str, float, float]]:
    """(case, score before, score after) of every case that both have scored, in the order of ``before``.

    A case that was asked several times has the means over the repeats that both have scored: repeats of one case are not
    independent.
    """
    others = {(s.case, s.repeat): score_of(s) for s in after}
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for sample in before:
        ours, other = score_of(sample), others.get((sample.case, sample.repeat))
        if ours is not None and other is not None:
            found[sample.case].append((ours, other))
    for case, scores in found.items():
        yield case, _mean([a for a, _ in scores]), _mean([b for _, b in scores])


def differences(before: Sequence[Sample], after: Sequence[Sample]) -> list[float]:
    """After minus before of every case that both have scored, in ascending order."""
    return sorted(other - ours for _, ours, other in pairs(before, after))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _deviation(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    mean = _mean(values)
    return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))
