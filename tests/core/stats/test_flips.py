"""The flip rate: how often the same example, asked again, is judged differently."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from scipy.stats import binomtest

from app.core.stats.flips import Flips, flip_rate
from app.ports.journal import Outcome, Sample


def answers(*scores: Sequence[float | None], outcome: Outcome = "scored") -> list[Sample]:
    """A sample for each repeat (inner list) of each case (outer list); None is a failed call."""
    return [
        Sample(f"{case}/{n}", "c", str(case), n, "train", "timed_out" if score is None else outcome, score, "", "")
        for case, repeats in enumerate(scores)
        for n, score in enumerate(repeats)
    ]


def test_of_two_answers_a_flip_is_one_right_and_one_wrong() -> None:
    found = flip_rate(answers([1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.0, 1.0]))
    assert (found.rate, found.n) == (0.5, 4)


def test_the_interval_is_wilsons() -> None:
    found = flip_rate(answers(*[[1.0, 0.0]] * 3, *[[1.0, 1.0]] * 13))
    oracle = binomtest(3, 16).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high))


def test_no_flip_does_not_mean_that_there_are_none() -> None:
    found = flip_rate(answers(*[[1.0, 1.0]] * 16))
    assert (found.rate, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(binomtest(0, 16).proportion_ci(method="wilson").high)


def test_of_three_answers_the_share_of_unequal_pairs_counts() -> None:
    # right, right, wrong: two of its three pairs are unequal; the other example has none.
    found = flip_rate(answers([1.0, 1.0, 0.0], [0.0, 0.0, 0.0]))
    assert found.rate == pytest.approx((2 / 3 + 0) / 2)


def test_graded_scores_flip_where_right_ends_and_not_at_every_comma() -> None:
    assert flip_rate(answers([0.95, 0.92], [0.5, 0.7])).rate == 0.0
    assert flip_rate(answers([0.95, 0.89])).rate == 1.0


def test_failed_calls_are_no_wrong_answers() -> None:
    found = flip_rate(answers([1.0, None], [None, None], [1.0, 1.0]))
    assert (found.rate, found.n) == (0.0, 1)
    assert flip_rate(answers([0.0, 1.0], outcome="parse_failed")).rate == 1.0


@pytest.mark.parametrize("samples", [[], answers([1.0], [0.0]), answers([None, None])])
def test_without_an_example_that_was_asked_twice_nothing_is_known(samples: list[Sample]) -> None:
    assert flip_rate(samples) == Flips(None, 0, None, None)
    assert flip_rate(samples).as_json() == {"rate": None, "n": 0, "low": None, "high": None}
