"""Not worse than by a margin: shown with enough examples, and never by too few of them."""

from __future__ import annotations

import math
import random

import pytest

from app.core.stats import needed, non_inferiority
from app.core.stats.noninferiority import adjusted_interval
from app.ports.journal import Sample


def samples(*scores: float | None) -> list[Sample]:
    return [
        Sample(str(i), "c", str(i), 0, "test", "timed_out" if score is None else "scored", score, "", "")
        for i, score in enumerate(scores)
    ]


def test_the_interval_of_differences_that_are_all_nothing_has_a_width() -> None:
    """By hand: n = 98 + 2, mean 0, variance 2 / 100, so 1.959964 x sqrt(0.02 / 100) = 0.027718."""
    low, high = adjusted_interval([0.0] * 98)
    assert (low, high) == (pytest.approx(-0.027718, abs=1e-6), pytest.approx(0.027718, abs=1e-6))
    assert adjusted_interval([]) == (-1.0, 1.0)


def test_it_is_the_interval_of_bonett_and_price_for_right_and_wrong() -> None:
    """9 fixed and 3 broken of 60, by their formula with one added to either."""
    n, fixed, broken = 62, 10 / 62, 4 / 62
    half = 1.959964 * math.sqrt((fixed + broken - (fixed - broken) ** 2) / n)
    low, high = adjusted_interval([1.0] * 9 + [-1.0] * 3 + [0.0] * 48)
    assert low == pytest.approx(fixed - broken - half, abs=1e-6)
    assert high == pytest.approx(fixed - broken + half, abs=1e-6)


@pytest.mark.parametrize(("margin", "least"), [(0.01, 276), (0.02, 137), (0.05, 54), (0.1, 26), (0.5, 4)])
def test_how_many_examples_a_margin_needs(margin: float, least: int) -> None:
    assert needed(margin) == least
    for n, shown in ((least - 1, False), (least, True)):
        right = samples(*[1.0] * n)
        assert non_inferiority(right, right, margin=margin, seed=1).shown is shown


def test_it_says_what_stands_against_it() -> None:
    few = non_inferiority(samples(*[1.0] * 20), samples(*[1.0] * 20), margin=0.02, seed=1)
    assert "20 examples cannot show less, 137 can" in few.why
    worse = non_inferiority(samples(*[1.0] * 200), samples(*[0.0] * 10, *[1.0] * 190), margin=0.02, seed=1)
    assert worse.delta == -0.05
    assert "less than 2 is asked for" in worse.why
    assert "cannot" not in worse.why
    thin = non_inferiority(samples(*[1.0] * 10), samples(*[None] * 5, *[1.0] * 5), margin=0.5, seed=1)
    assert (thin.shown, thin.low) == (False, None)
    assert "only 5 of 10" in thin.why


def test_a_truly_worse_prompt_is_rarely_let_through() -> None:
    """At a true loss as large as the margin it happens in about one test of forty."""
    dice, let = random.Random(5), 0
    for _ in range(600):
        before, after = [], []
        for _ in range(150):
            one = dice.random()
            before.append(float(one < 0.8))
            after.append(float(one < 0.7 if dice.random() < 0.9 else dice.random() < 0.7))
        let += non_inferiority(samples(*before), samples(*after), margin=0.1, seed=1).shown
    assert let / 600 < 0.045
