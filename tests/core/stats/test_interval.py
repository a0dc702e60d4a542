"""Means and intervals against numbers made by hand and by scipy."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as oracle

from app.core.stats import Mean, mean_of
from app.core.stats.interval import student, t_quantile, wilson
from app.ports.journal import Outcome, Sample

SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def sample(case: str, score: float | None, outcome: Outcome = "scored", repeat: int = 0) -> Sample:
    return Sample(f"{case}/{repeat}", "c", case, repeat, "test", outcome, score, "", "")


def samples(*scores: float | None) -> list[Sample]:
    return [sample(str(i), s, "scored" if s is not None else "provider_error") for i, s in enumerate(scores)]


def test_eight_of_ten_by_hand() -> None:
    mean = mean_of(samples(*[1.0] * 8, 0.0, 0.0))
    assert (mean.mean, mean.n, mean.asked) == (0.8, 10, 10)
    assert mean.low == pytest.approx(0.4902, abs=1e-4)
    assert mean.high == pytest.approx(0.9433, abs=1e-4)


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (1, 1), (0, 20), (20, 20), (3, 7), (50, 100), (999, 1000)])
def test_wilson_agrees_with_scipy(successes: int, n: int) -> None:
    expected = oracle.binomtest(successes, n).proportion_ci(method="wilson")
    assert wilson(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("df", [*range(1, 61), 100, 1000, 100_000])
def test_t_quantiles_agree_with_scipy(df: int) -> None:
    assert t_quantile(df) == pytest.approx(oracle.t.ppf(0.975, df), abs=2e-4)


def test_graded_scores_get_students_interval() -> None:
    values = [0.2, 0.5, 0.9, 0.4, 0.7]
    low, high = oracle.t.interval(0.95, 4, loc=0.54, scale=oracle.sem(values))
    mean = mean_of(samples(*values))
    assert (mean.low, mean.high) == pytest.approx((low, high), abs=1e-5)


def test_one_graded_score_says_nothing() -> None:
    assert student([0.5]) == (0.0, 1.0)


def test_failed_calls_are_no_wrong_answers() -> None:
    mean = mean_of(samples(1.0, None, None, 1.0))
    assert (mean.mean, mean.n, mean.asked) == (1.0, 2, 4)


def test_an_unreadable_answer_counts_as_zero() -> None:
    assert mean_of([sample("a", 0.0, "parse_failed"), sample("b", 1.0)]).mean == 0.5


def test_nothing_scored_has_no_mean() -> None:
    assert mean_of(samples(None, None)) == Mean(None, 0, 2, None, None)
    assert mean_of([]).as_json() == {"mean": None, "n": 0, "asked": 0, "low": None, "high": None}


def test_repeats_of_a_case_are_not_taken_for_independent() -> None:
    once = [sample("a", 1.0), sample("b", 0.0), sample("c", 1.0)]
    often = [sample(s.case, s.score, repeat=r) for s in once for r in range(10)]
    assert mean_of(often).n == 30
    assert (mean_of(often).low, mean_of(often).high) == (mean_of(once).low, mean_of(once).high)


@given(SCORES)
def test_the_interval_holds_the_mean_and_stays_in_range(scores: list[float]) -> None:
    mean = mean_of(samples(*scores))
    assert mean.mean is not None
    assert mean.low is not None
    assert mean.high is not None
    assert 0.0 <= mean.low <= mean.mean + 1e-12
    assert mean.mean - 1e-12 <= mean.high <= 1.0
    assert math.isclose(mean.mean, sum(scores) / len(scores), abs_tol=1e-12)


@pytest.mark.parametrize(("n", "share"), [(20, 0.9), (30, 0.7), (40, 0.6), (50, 0.3)])
def test_the_interval_keeps_its_promise(n: int, share: float) -> None:
    """Of the intervals of n right-or-wrong answers about 95 % hold the true share."""
    held = [k for k in range(n + 1) if wilson(k, n)[0] <= share <= wilson(k, n)[1]]
    assert sum(oracle.binom.pmf(k, n, share) for k in held) == pytest.approx(0.95, abs=0.03)
