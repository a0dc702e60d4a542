"""What a mean moves by when nothing but chance is at work, measured on a few examples that were asked more than once."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.stats.flips import Flips, flip_rate
from app.core.stats.interval import Mean, interval, mean_of, score_of, student
from app.core.stats.sizing import Spread
from app.ports.journal import Sample

MOST = 0.25
"""The largest variance that numbers in [0, 1] can have."""


@dataclass(frozen=True, slots=True)
class Noise:
    """mean: of all answers. flips: how often the model contradicts itself. n: examples with a scored answer.

    low, spread, high: the variances as measured and the ends of their 95 % interval. flat: no score differed from another, so
    that nothing was measured and spread is the upper end.
    """

    mean: Mean
    flips: Flips
    n: int
    low: Spread
    spread: Spread
    high: Spread
    flat: bool


def noise_of(samples: Sequence[Sample]) -> Noise | None:
    """The noise of one candidate's samples; None with fewer than two scored examples, which show no spread.

    One-way analysis of variance: within is the mean variance of an example's answers, between the variance of the examples'
    means less what ``within`` brings into it, and at least 0. Source: Searle, Casella, McCulloch, Variance Components (1992),
    chapter 3.
    """
    scores = _by_case(samples)
    if len(scores) < 2:
        return None
    means = [math.fsum(found) / len(found) for found in scores.values()]
    variances = [_variance(found) for found in scores.values() if len(found) > 1]
    within = math.fsum(variances) / len(variances) if variances else 0.0
    brought_in = within * math.fsum(1 / len(found) for found in scores.values()) / len(scores)
    binary = all(score in (0.0, 1.0) for found in scores.values() for score in found)
    measured = Spread(max(0.0, _variance(means) - brought_in), within, binary)
    flips = flip_rate(samples)
    total = _bounds_of_total(means, measured)
    inner = _bounds_of_within(variances, flips, measured)
    low, high = (_spread(end, part, binary) for end, part in zip(total, inner, strict=True))
    flat = measured.total == 0.0
    return Noise(mean_of(samples), flips, len(scores), low, high if flat else measured, high, flat)


def _spread(total: float, within: float, right_or_wrong: bool) -> Spread:
    return Spread(max(0.0, total - within), min(total, within), right_or_wrong)


def _by_case(samples: Sequence[Sample]) -> dict[str, list[float]]:
    scores: dict[str, list[float]] = defaultdict(list)
    for sample in samples:
        if (score := score_of(sample)) is not None:
            scores[sample.case].append(score)
    return scores


def _bounds_of_total(means: Sequence[float], measured: Spread) -> tuple[float, float]:
    """The ends of the interval of the whole variance. Where no score differed, see _open_variance()."""
    if measured.total == 0.0:
        return 0.0, _open_variance(means)
    low, high = (_of_right_or_wrong if measured.right_or_wrong else _of_graded)(means)
    return min(1.0, low) * measured.total, max(measured.total, min(high * measured.total, MOST))


def _bounds_of_within(variances: Sequence[float], flips: Flips, measured: Spread) -> tuple[float, float]:
    """The ends of the interval of the variance within examples; (0, all of it) when none was asked twice.

    Of right-or-wrong answers it is half of the chance that two answers differ, so the flips' interval serves; of graded ones,
    Student's interval of the examples' variances.
    """
    if not variances:
        return 0.0, MOST
    if measured.right_or_wrong:
        return (flips.low or 0.0) / 2, (flips.high or 0.0) / 2
    low, high = student(variances)
    return min(low, measured.within), max(high, measured.within)


def _of_right_or_wrong(means: Sequence[float]) -> tuple[float, float]:
    """The ends as multiples: m (1 - m) is least and largest where the interval of the mean m lets it be."""
    middle = math.fsum(means) / len(means)
    ends = interval(means)
    found = [end * (1 - end) for end in ends]
    most = MOST if ends[0] <= 0.5 <= ends[1] else max(found)
    return min(found) / (middle * (1 - middle)), most / (middle * (1 - middle))


def _of_graded(means: Sequence[float]) -> tuple[float, float]:
    """The ends as multiples: Student's interval of the examples' squared deviations."""
    middle = math.fsum(means) / len(means)
    squares = [(value - middle) ** 2 for value in means]
    found = math.fsum(squares) / len(squares)
    if found == 0.0:  # all of it is within the examples
        return 0.0, math.inf
    low, high = student(squares)
    return low / found, high / found


def _open_variance(means: Sequence[float]) -> float:
    """The largest m (1 - m) that so many equal scores leave open: m may be off by 3 / n, the rule of three."""
    off = min(1.0, 3 / len(means))
    nearest = min(max(0.5, means[0] - off), means[0] + off)
    return nearest * (1 - nearest)


def _variance(values: Sequence[float]) -> float:
    """The unbiased variance of at least two values."""
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
