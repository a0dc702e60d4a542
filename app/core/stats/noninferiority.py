"""Is one version not worse than another by more than a margin? For the sealed test, so it must not be too sure of itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist

from app.core.stats.acceptance import thin
from app.core.stats.pairing import differences, paired
from app.ports.journal import Sample
from app.ports.llm import Json


@dataclass(frozen=True, slots=True)
class NonInferiority:
    """delta: mean of after minus before over the n examples that both have scored, with its interval. level: of the interval.

    shown: whether the interval lies above -margin. why: what stands against it in words, "" when it is shown.
    needed: examples with which it can be shown at all, should no answer change.
    """

    n: int
    asked: int
    delta: float | None
    low: float | None
    high: float | None
    margin: float
    shown: bool
    why: str
    needed: int
    level: float

    def as_json(self) -> Json:
        """The fields by name."""
        return asdict(self)


def non_inferiority(
    before: Sequence[Sample], after: Sequence[Sample], *, margin: float, seed: int, level: float = 0.95
) -> NonInferiority:
    """Compare two reports over the same cases. margin: the largest loss of the mean score that does not matter, in (0, 1).

    level: of the two-sided interval, in (0, 1).
    """
    found, least = paired(before, after, seed=seed), needed(margin, level)
    if problem := thin(found):
        return NonInferiority(found.n, found.asked, found.delta, None, None, margin, False, problem, least, level)
    low, high = adjusted_interval(differences(before, after), level)
    why = ""
    if low <= -margin:
        why = f"they may be worse by up to {-100 * low:.1f} points, and less than {100 * margin:g} is asked for"
        if found.n < least:
            why += f"; {found.n} examples cannot show less, {least} can"
    return NonInferiority(found.n, found.asked, found.delta, low, high, margin, not why, why, least, level)


def adjusted_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """The interval of the mean of paired differences in [-1, 1], with one imagined pair added on either side.

    A bootstrap of differences that are all 0 has no width, as if so few examples could show that nothing ever changes; with a
    +1 and a -1 added the interval stays honest. For right/wrong answers it is that of Bonett and Price (2012).
    """
    n = len(values) + 2
    mean = math.fsum(values) / n
    variance = (math.fsum(value * value for value in values) + 2.0) / n - mean * mean
    half = _z(level) * math.sqrt(variance / n)
    return max(-1.0, mean - half), min(1.0, mean + half)


def needed(margin: float, level: float = 0.95) -> int:
    """Examples from which on adjusted_interval() of differences that are all 0 lies above -margin."""
    return max(1, math.floor(_z(level) * math.sqrt(2.0) / margin - 2.0) + 1)


def _z(level: float) -> float:
    return NormalDist().inv_cdf(0.5 + level / 2)
