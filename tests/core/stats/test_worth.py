"""What a further point will cost, by hand and at its edges."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from app.core.stats.worth import LEAST, Worth, next_epoch


def test_the_formula_by_hand() -> None:
    # Weights 0.8 and 1; the hope of 3 points counts 3 x 0.64 = 1.92.
    found = next_epoch([0.1, 0.0], [2.0, 1.0], best=0.5)
    assert found is not None
    assert found.gain == pytest.approx((1.92 * 0.03 + 0.8 * 0.1) / (1.92 + 1.8))
    assert found.usd == pytest.approx((0.8 * 2.0 + 1.0) / 1.8)
    assert found.usd_per_point == pytest.approx(found.usd / (100 * found.gain))


@pytest.mark.parametrize("epochs", range(LEAST))
def test_a_single_draw_says_nothing(epochs: int) -> None:
    assert next_epoch([0.0] * epochs, [1.0] * epochs, best=0.5) is None


def test_unlucky_epochs_at_the_start_leave_hope_and_a_long_row_of_them_does_not() -> None:
    gains = [next_epoch([0.0] * k, [1.0] * k, best=0.5).gain for k in range(LEAST, 12)]  # type: ignore[union-attr]
    assert gains[0] > 0.015  # half of the hope is left after two
    assert all(later < earlier for earlier, later in pairwise(gains))
    assert gains[-1] < 0.002


def test_a_search_that_was_fruitful_and_is_so_no_more_becomes_dear() -> None:
    early = next_epoch([0.2, 0.1, 0.0], [1.0] * 3, best=0.7)
    late = next_epoch([0.2, 0.1, *[0.0] * 10], [1.0] * 12, best=0.7)
    assert early is not None
    assert late is not None
    assert late.usd_per_point > 5 * early.usd_per_point


def test_no_more_can_be_gained_than_is_left() -> None:
    found = next_epoch([0.3, 0.3], [1.0, 1.0], best=0.99)
    assert found is not None
    assert found.gain == pytest.approx(0.01)
    assert Worth(0.0, 1.0).usd_per_point == math.inf


def test_the_price_follows_what_the_latest_epochs_cost() -> None:
    found = next_epoch([0.0] * 9, [1.0] * 3 + [10.0] * 6, best=0.5)
    assert found is not None
    assert 7.5 < found.usd < 10.0
