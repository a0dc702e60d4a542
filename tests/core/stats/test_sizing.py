"""How many examples a comparison takes: by hand, and against the power of the tests themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, norm

from app.core.stats.significance import mcnemar_exact
from app.core.stats.sizing import UNMEASURED, Spread, detectable, examples_needed

GRADED = Spread(between=0.04, within=0.01, right_or_wrong=False)


def test_the_errors_of_a_mean_by_hand() -> None:
    spread = Spread(between=0.16, within=0.09, right_or_wrong=True)
    assert spread.error(100) == pytest.approx(0.05)  # sqrt(0.25 / 100)
    assert spread.randomness(100) == pytest.approx(0.03)  # sqrt(0.09 / 100)


def test_the_differences_of_two_prompts_by_hand() -> None:
    # 2 x (1 - 0.5) x 0.16 + 2 x 0.09 / repeats
    spread = Spread(between=0.16, within=0.09, right_or_wrong=True)
    assert spread.of_differences() == pytest.approx(math.sqrt(0.16 + 0.18))
    assert spread.of_differences(repeats=3) == pytest.approx(math.sqrt(0.16 + 0.06))


def test_before_anything_is_measured_prompts_disagree_on_a_quarter_of_the_examples() -> None:
    assert UNMEASURED.of_differences() ** 2 == pytest.approx(0.25)
    # (1.959964 + 0.841621) x 0.5 / sqrt(100)
    assert detectable(100, UNMEASURED, alpha=0.05) == pytest.approx(0.140079, abs=1e-6)
    assert examples_needed(0.05, UNMEASURED, alpha=0.05) == 785


def test_a_stricter_level_needs_more() -> None:
    assert detectable(100, UNMEASURED, alpha=0.01) > detectable(100, UNMEASURED, alpha=0.05)


@pytest.mark.parametrize("n", [1, 5, 24, 200])
def test_right_or_wrong_answers_have_to_change_by_a_least_number(n: int) -> None:
    """Without any spread the formula would promise to show anything."""
    squared = float(norm.ppf(0.975) + norm.ppf(0.8)) ** 2
    found = detectable(n, Spread(0.0, 0.0, right_or_wrong=True), alpha=0.05)
    assert found == pytest.approx(squared / (n + squared))
    assert found == pytest.approx(math.sqrt(squared * found * (1 - found) / n))
    assert detectable(n, Spread(0.0, 0.0, right_or_wrong=False), alpha=0.05) == 0.0


@pytest.mark.parametrize("spread", [UNMEASURED, GRADED, Spread(0.01, 0.0, True), Spread(0.0, 0.2, True)])
@pytest.mark.parametrize("worth", [0.02, 0.05, 0.3, 0.9])
def test_what_is_needed_is_the_least_that_can_show_it(spread: Spread, worth: float) -> None:
    n = examples_needed(worth, spread, alpha=0.05)
    assert detectable(n, spread, alpha=0.05) <= worth + 1e-9
    assert n == 1 or detectable(n - 1, spread, alpha=0.05) > worth


def test_mcnemars_test_finds_what_is_promised_about_as_often_as_promised() -> None:
    """The exact power of the test that is used in the end, over every number of fixed and broken examples."""
    n, disagree = 150, 0.25
    delta = detectable(n, UNMEASURED, alpha=0.05)
    fixed, broken = (disagree + delta) / 2, (disagree - delta) / 2
    power = 0.0
    for changed in range(n + 1):
        right = range(changed + 1)
        weights = binom.pmf(list(right), changed, fixed / (fixed + broken))
        found = sum(w for k, w in zip(right, weights, strict=True) if mcnemar_exact(k, changed - k) < 0.05)
        power += float(binom.pmf(changed, n, disagree)) * float(found)
    assert 0.72 < power < 0.86


def test_a_paired_test_of_graded_scores_finds_what_is_promised_about_as_often() -> None:
    """Simulated from the model that the formula supposes: two prompts, correlated over examples, random in each answer."""
    n, dice = 60, np.random.default_rng(3)
    delta = detectable(n, GRADED, alpha=0.05)
    shape = (4000, n)
    shared = dice.normal(0, math.sqrt(0.5 * GRADED.between), shape)  # ALIKE of the variance is shared
    sides = [
        shared
        + dice.normal(0, math.sqrt(0.5 * GRADED.between), shape)
        + dice.normal(0, math.sqrt(GRADED.within), shape)
        for _ in range(2)
    ]
    differences = sides[1] - sides[0] + delta
    z = differences.mean(axis=1) / (differences.std(axis=1, ddof=1) / math.sqrt(n))
    assert 0.77 < float(np.mean(z > norm.ppf(0.975))) < 0.84
