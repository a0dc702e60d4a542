"""Could a difference like this come from chance? McNemar's exact test for right/wrong, sign flips for graded scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from app.core.stats.numbers import Floats, uniform_rows

EXACT_PAIRS = 16
"""Up to so many unequal pairs all 2^n sign patterns are counted; beyond, FLIPS random ones."""
FLIPS = 19_999
RESAMPLES = 5_000
LARGE = 20_000
"""Beyond so many differences, sums of resampled or flipped ones are normal to more digits than anybody is shown; drawing them
would take minutes."""
_TIE = 1e-9
_NORMAL = NormalDist()
"""Two sums that differ by less are equal; floating point must not break ties."""


def mcnemar_exact(fixed: int, broken: int) -> float:
    """Two-sided p value: were fixing and breaking equally likely, how often would they be as unequal as this?

    The exact binomial form, twice the smaller tail, at most 1. Source: McNemar (1947).
    """
    n, fewer = fixed + broken, min(fixed, broken)
    ways = tail = 1
    for k in range(1, fewer + 1):  # each from the one before: n over k anew takes minutes for a hundred thousand pairs
        ways = ways * (n - k + 1) // k
        tail += ways
    return min(1.0, tail / 2 ** (n - 1)) if n else 1.0


def sign_flip(differences: Sequence[float], *, seed: int) -> float:
    """Two-sided p value of the mean difference, were each difference equally likely to have the other sign.

    Exact for up to EXACT_PAIRS differences that are not 0 (zeros change nothing), else from FLIPS seeded random patterns with
    the observed one counted in, so that p is never 0. Beyond LARGE: the normal limit of that.
    Source: Fisher (1935); Phipson and Smyth (2010).
    """
    unequal = np.array([d for d in differences if d != 0.0])
    observed = abs(math.fsum(unequal)) - _TIE
    if len(unequal) <= EXACT_PAIRS:
        return float(np.mean(np.abs(_all_sums(unequal)) >= observed))
    if len(unequal) > LARGE:
        return 2 * _NORMAL.cdf(-observed / float(np.sqrt(np.sum(unequal**2))))
    as_far = sum(
        int(np.sum(np.abs(np.where(draws < 0.5, -1.0, 1.0) @ unequal) >= observed))
        for draws in uniform_rows(seed, FLIPS, len(unequal))
    )
    return (as_far + 1) / (FLIPS + 1)


def _all_sums(values: Floats) -> Floats:
    """The sums under every pattern of signs."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return sums


def bootstrap_interval(differences: Sequence[float], *, seed: int, level: float = 0.95) -> tuple[float, float]:
    """The percentile bootstrap interval of the mean; the same seed gives the same interval. At least one difference.

    Beyond LARGE differences: the normal limit of that. Source: Efron and Tibshirani (1993), chapter 13; quantiles by linear
    interpolation.
    """
    values = np.array(differences)
    n, tail = len(values), round((1 - level) / 2, 12)
    if n > LARGE:
        limit = NormalDist(float(values.mean()), float(values.std() / np.sqrt(n)))
        return round(limit.inv_cdf(tail), 12), round(limit.inv_cdf(1 - tail), 12)
    means = np.concatenate(
        [values[(draws * n).astype(np.intp)].mean(axis=1) for draws in uniform_rows(seed, RESAMPLES, n)]
    )
    low, high = np.quantile(means, [tail, 1 - tail])
    return round(float(low), 12), round(float(high), 12)
