"""A race is left when winning it has become unlikely. That can lose a good child; it can never let a bad one win."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

from app.core.stats.pairing import pairs
from app.ports.journal import Sample

UNLIKELY = 0.1
"""A child whose chance to win is below this is not worth the rest of the race."""
DOUBT = 4
"""Imagined pairs without a difference that the forecast starts from: a few unlucky rows must not end a race."""
_SPREAD = 0.5
"""Standard deviation of a difference, as the forecast supposes it of the imagined pairs."""


def chance_to_win(before: Sequence[Sample], after: Sequence[Sample], to_come: int, *, min_delta: float) -> float:
    """The forecast chance that the child's mean beats its rival's by more than min_delta once to_come more pairs are in.

    Normal approximation of the predictive distribution: with d the differences minus min_delta of the n pairs so far and m, v
    their mean and variance (DOUBT pairs of 0 +- _SPREAD counted in), the final sum is normal with mean sum(d) + to_come x m and
    variance v x to_come x (1 + to_come / (n + DOUBT)). 1 or 0 when nothing is to come.
    """
    differences = [theirs - ours - min_delta for _, ours, theirs in pairs(before, after)]
    lead = math.fsum(differences)
    if to_come == 0:
        return float(lead > 0)
    n = len(differences) + DOUBT
    mean = lead / n
    variance = (math.fsum((d - mean) ** 2 for d in differences) + DOUBT * (_SPREAD**2 + mean**2)) / n
    spread = math.sqrt(variance * to_come * (1 + to_come / n))
    return 1.0 - NormalDist(lead + to_come * mean, spread).cdf(0.0)
