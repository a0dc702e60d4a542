"""How small an improvement a test of this size can still show."""

from __future__ import annotations

import math
from statistics import NormalDist


def minimum_detectable(n: int, sd: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """The smallest true mean difference that a paired two-sided test finds with the given power.

    n: pairs, at least 1. sd: standard deviation of the differences; for right/wrong answers it is the square root of the share
    of examples on which the two versions disagree. Capped at 1, the largest difference there is.
    Source: normal approximation, (z(1 - alpha/2) + z(power)) x sd / sqrt(n).
    """
    normal = NormalDist()
    return min(1.0, (normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)) * sd / math.sqrt(n))
