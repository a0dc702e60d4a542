"""How many examples a comparison of two prompts takes, and what a given number of them can show."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from app.core.stats.power import minimum_detectable

ALIKE = 0.5
"""Correlation of two prompts over the examples, as it is supposed while there is no second prompt: what is hard for one is
often hard for the other."""
POWER = 0.8
"""Chance to find an improvement that is there, as planned for."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The variance of one answer's score, in two parts. between: from example to example; within: from answer to answer to the
    same example (the model's own randomness). right_or_wrong: whether every score is 0 or 1.
    """

    between: float
    within: float
    right_or_wrong: bool

    @property
    def total(self) -> float:
        """The variance of the score of one answer to one example drawn at random."""
        return self.between + self.within

    def error(self, n: int, repeats: int = 1) -> float:
        """The standard error of a mean over n new examples, each asked so many times."""
        return math.sqrt((self.between + self.within / repeats) / n)

    def randomness(self, n: int, repeats: int = 1) -> float:
        """The part of it that asking the same n examples again would show."""
        return math.sqrt(self.within / repeats / n)

    def of_differences(self, repeats: int = 1) -> float:
        """The standard deviation of the difference of two prompts' scores on one example, each the mean of so many answers.

        sqrt(2 (1 - ALIKE) between + 2 within / repeats). Source: Miller, Adding Error Bars to Evals (2024), section 5.
        """
        return math.sqrt(2 * (1 - ALIKE) * self.between + 2 * self.within / repeats)


UNMEASURED = Spread(between=0.25, within=0.0, right_or_wrong=True)
"""What is supposed before anything is measured: answers are right or wrong, half of them right, each time the same. Two prompts
then disagree on a quarter of the examples."""


def detectable(n: int, spread: Spread, *, alpha: float, repeats: int = 1) -> float:
    """The smallest true improvement of the mean that a paired test of n examples finds with the chance POWER, in (0, 1].

    minimum_detectable() for the standard deviation of the differences. Of right-or-wrong scores at least z^2 / (n + z^2), with
    z the sum of both normal quantiles: to improve by d, a share d of the examples has to change, and when no more than that
    changes the differences have the variance d (1 - d); this is where d = z sqrt(d (1 - d) / n).
    """
    least = 0.0
    if spread.right_or_wrong:
        squared = _quantiles(alpha) ** 2
        least = squared / (n + squared)
    return max(least, minimum_detectable(n, spread.of_differences(repeats), alpha=alpha, power=POWER))


def examples_needed(improvement: float, spread: Spread, *, alpha: float, repeats: int = 1) -> int:
    """The fewest examples with which detectable() is at most ``improvement``, in (0, 1).

    ceil((z sd / improvement)^2), and of right-or-wrong scores at least z^2 (1 - improvement) / improvement.
    """
    z = _quantiles(alpha)
    found = (z * spread.of_differences(repeats) / improvement) ** 2
    if spread.right_or_wrong:
        found = max(found, z * z * (1 - improvement) / improvement)
    return max(1, math.ceil(found - 1e-9))


def _quantiles(alpha: float) -> float:
    """z(1 - alpha / 2) + z(POWER)."""
    normal = NormalDist()
    return normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(POWER)
