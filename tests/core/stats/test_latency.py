"""Times and speeds by hand, and percentiles against the sorted values themselves."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.stats.latency import ACCURACY, Percentiles, Speed, Timing


def test_the_formulas_by_hand() -> None:
    timing = Timing(ttft_s=0.5, ttlb_s=2.5, tokens=41)
    assert timing.inter_token_s == pytest.approx(2.0 / 40)
    assert timing.tokens_per_s == pytest.approx(41 / 2.5)
    assert timing.output_tokens_per_s == pytest.approx(41 / 2.0)


def test_thoughts_that_nobody_saw_came_before_the_first_delta() -> None:
    timing = Timing(ttft_s=4.0, ttlb_s=5.0, tokens=310, hidden=299)
    assert timing.inter_token_s == pytest.approx(1.0 / 10)
    assert timing.output_tokens_per_s == pytest.approx(11.0)
    assert timing.tokens_per_s == pytest.approx(62.0)


@pytest.mark.parametrize(
    ("timing", "whole"),
    [
        (Timing(None, 2.0, 10), 5.0),  # came as one
        (Timing(2.0, 2.0, 10), 5.0),  # a stream of one delta
        (Timing(0.5, 2.0, 1), 0.5),  # one token
        (Timing(0.5, 2.0, 0), None),  # usage was nothing
        (Timing(None, 0.0, 10), None),  # no time is no speed
        (Timing(0.5, 2.0, 10, hidden=10), 5.0),  # only thoughts
    ],
)
def test_what_has_no_stream_has_no_speed_of_one(timing: Timing, whole: float | None) -> None:
    assert timing.inter_token_s is None
    assert timing.output_tokens_per_s is None
    assert timing.tokens_per_s == whole


@given(st.lists(st.floats(min_value=1e-4, max_value=1e5), min_size=1, max_size=200), st.integers(0, 200))
def test_percentiles_are_those_of_the_values_within_the_accuracy(values: list[float], cut: int) -> None:
    found, rest = Percentiles(values[:cut]), Percentiles(values[cut:])
    found.merge(rest)
    assert found.n == len(values)
    for share in (0.5, 0.95, 0.99):
        true = sorted(values)[max(1, math.ceil(share * len(values) - 1e-9)) - 1]
        assert found.at(share) == pytest.approx(true, rel=ACCURACY * 1.001)


def test_a_reply_that_was_not_streamed_counts_among_replies_and_not_in_ttft() -> None:
    speed = Speed([Timing(None, 2.0, 10, estimated=True), Timing(1.0, 3.0, 5)])
    told = speed.as_json()
    assert (told["replies"], told["estimated"]) == (2, 1)
    assert told["ttft_s"]["n"] == 1
    assert told["ttft_s"]["p50"] == pytest.approx(1.0, rel=1.01 * ACCURACY)
    assert told["ttlb_s"]["n"] == 2
    assert Speed().as_json()["ttft_s"] == {"n": 0, "p50": None, "p95": None, "p99": None}
