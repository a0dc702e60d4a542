"""What a further point of validation score will cost, judged by the epochs so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

FADING = 0.8
"""An epoch counts this much less than the one after it."""
HOPE = 0.03
"""Gain of an epoch, as it is expected before there is one."""
BELIEF = 3.0
"""Epochs that HOPE counts for at the start; that fades like epochs do."""
LEAST = 2
"""Epochs that there must be before anything is said: a single one is a single draw."""


@dataclass(frozen=True, slots=True)
class Worth:
    """The next epoch as it is expected. gain: of the best score, in [0, 1]. usd: what it costs, all roles."""

    gain: float
    usd: float

    @property
    def usd_per_point(self) -> float:
        """USD for a hundredth of score; infinite when nothing is to be gained."""
        return self.usd / (100 * self.gain) if self.gain > 0 else math.inf


def next_epoch(gains: Sequence[float], costs: Sequence[float], *, best: float) -> Worth | None:
    """What the next epoch will bring and cost; None before LEAST epochs.

    gains: by how much each epoch raised the best validation score, 0 for nothing. costs: USD of each epoch. best: the best
    score now, in [0, 1]. With k epochs and the weight w_i = FADING^(k - i) of the i-th:

        gain = (w_0 BELIEF HOPE + sum w_i gains_i) / (w_0 BELIEF + sum w_i), at most 1 - best
        usd  = sum w_i costs_i / sum w_i

    the posterior mean of a normal mean under a normal prior worth BELIEF epochs, with the discounting of West and Harrison,
    Bayesian Forecasting and Dynamic Models (1997), chapter 6. One unlucky epoch leaves most of the prior; a row of them
    lets it fade, so that a search that once was fruitful and is so no more comes to an end as well.
    """
    k = len(gains)
    if k < LEAST:
        return None
    weights = [FADING ** (k - i) for i in range(1, k + 1)]
    prior = BELIEF * FADING**k
    gain = prior * HOPE + math.fsum(w * g for w, g in zip(weights, gains, strict=True))
    usd = math.fsum(w * c for w, c in zip(weights, costs, strict=True)) / math.fsum(weights)
    return Worth(min(gain / (prior + math.fsum(weights)), 1 - best), usd)
