"""A model's judgements, corrected by those of people on the prompts that both have judged.

The mean of the model over all prompts, plus the mean of (human - model) over the jointly judged ones: it is without bias
whatever the model's is, and the closer the model follows people, the narrower its interval. Sources: the difference estimator
of Cochran, Sampling Techniques (1977), chapter 12; as prediction-powered inference in Angelopoulos et al. (Science, 2023).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from app.core.stats.interval import t_quantile


@dataclass(frozen=True, slots=True)
class Corrected:
    """A mean with its 95 % interval within [0, 1], None under two jointly judged prompts or when they show no spread at all.

    bias: mean of (model - human) where both have judged, None without any. humans, prompts: how many were judged by people and
    how many by the model.
    """

    mean: float | None
    low: float | None
    high: float | None
    bias: float | None
    humans: int
    prompts: int

    @property
    def half(self) -> float | None:
        """Half the width of the interval."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def corrected(model: Mapping[str, float], human: Mapping[str, float]) -> Corrected:
    """model, human: judgement by prompt, on one scale. Without people it is the model's mean, which is not corrected at all.

    Variance of the estimate: s2_human / N + (1/n - 1/N) s2_difference, for n joint of N prompts (double sampling).
    """
    joint = [prompt for prompt in human if prompt in model]
    total, n = len(model), len(joint)
    if not model:
        return Corrected(None, None, None, None, len(human), 0)
    mean = math.fsum(model.values()) / total
    if not joint:
        return Corrected(mean, None, None, None, 0, total)
    differences = [human[prompt] - model[prompt] for prompt in joint]
    shift = math.fsum(differences) / n
    mean = min(1.0, max(0.0, mean + shift))  # it may overshoot what a mean can be
    if n < 2:
        return Corrected(mean, None, None, -shift, n, total)
    variance = _variance([human[p] for p in joint]) / total + (1 / n - 1 / total) * _variance(differences)
    if variance == 0:  # so few that all are alike: they do not say how far others may lie
        return Corrected(mean, None, None, -shift, n, total)
    half = t_quantile(n - 1) * math.sqrt(variance)
    return Corrected(mean, max(0.0, mean - half), min(1.0, mean + half), -shift, n, total)


def _variance(values: list[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)


def narrower_by(now: Corrected) -> float | None:
    """By which share the interval is expected to narrow when people judge one more prompt; None when there is none yet."""
    if now.humans < 2 or now.humans >= now.prompts:
        return None
    before = 1 / now.humans - 1 / now.prompts
    after = 1 / (now.humans + 1) - 1 / now.prompts
    return 1 - math.sqrt(max(0.0, after) / before) if before > 0 else None
