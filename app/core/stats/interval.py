"""A mean is shown with how many were scored, how many were asked, and a 95 % interval."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist

from app.ports.journal import Sample
from app.ports.llm import Json

COUNTED = frozenset({"scored", "parse_failed"})
"""Outcomes that enter a mean. Everything else is a failed call, never a wrong answer."""
LEVEL = 0.95
Z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
_T = (math.inf, 12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139)
"""Student's t for a 95 % interval at 0 to 10 degrees of freedom."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean score in [0, 1] and its 95 % interval; None when nothing was scored. n: samples scored; asked: samples in all."""

    mean: float | None
    n: int
    asked: int
    low: float | None
    high: float | None

    def as_json(self) -> Json:
        """The fields by name."""
        return asdict(self)


def score_of(sample: Sample) -> float | None:
    """The sample's score when it enters a mean, else None."""
    return sample.score if sample.outcome in COUNTED else None


def mean_of(samples: Sequence[Sample]) -> Mean:
    """The mean score of those that were scored.

    Every case weighs the same: its repeats are averaged first, and the interval is over cases, because repeats of one case
    are not independent. The interval is Wilson's when all scores are 0 or 1, else Student's t.
    """
    by_case: dict[str, list[float]] = defaultdict(list)
    for sample in samples:
        if (score := score_of(sample)) is not None:
            by_case[sample.case].append(score)
    values = [math.fsum(scores) / len(scores) for scores in by_case.values()]
    n = sum(len(scores) for scores in by_case.values())
    if not values:
        return Mean(None, 0, len(samples), None, None)
    low, high = interval(values)
    return Mean(math.fsum(values) / len(values), n, len(samples), low, high)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the mean of independent scores in [0, 1]; at least one score."""
    if all(v in (0.0, 1.0) for v in values):
        return wilson(round(sum(values)), len(values))
    return student(values)


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Wilson's score interval of a proportion, without continuity correction; n >= 1.

    Unlike the textbook interval it stays within [0, 1] and keeps its level near 0, near 1 and for small n.
    Source: Wilson (1927); Brown, Cai, DasGupta (2001).
    """
    p, z2 = successes / n, Z * Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    low = 0.0 if successes == 0 else middle - half
    return low, 1.0 if successes == n else middle + half


def student(values: Sequence[float]) -> tuple[float, float]:
    """Student's t interval, cut to [0, 1]; one value alone says nothing: (0, 1).

    Preferred to a percentile bootstrap because that one is too narrow on the few dozen examples that people have
    (Hesterberg, What Teachers Should Know About the Bootstrap, 2015).
    """
    n = len(values)
    if n == 1:
        return 0.0, 1.0
    mean = math.fsum(values) / n
    variance = math.fsum((v - mean) ** 2 for v in values) / (n - 1)
    half = t_quantile(n - 1) * math.sqrt(variance / n)
    return max(0.0, mean - half), min(1.0, mean + half)


def t_quantile(df: int) -> float:
    """Student's t for a two-sided 95 % interval, to four decimals.

    A table up to 10 degrees of freedom, the Cornish-Fisher expansion beyond. Source: Abramowitz and Stegun, 26.7.5.
    """
    if df < len(_T):
        return _T[df]
    z = Z
    return (
        z
        + (z**3 + z) / (4 * df)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * df**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * df**3)
    )
