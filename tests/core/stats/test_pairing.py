"""Paired comparison: tests against scipy, tables by hand."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as oracle

from app.core.stats import Paired, cell, minimum_detectable, paired
from app.core.stats.significance import bootstrap_interval, mcnemar_exact, sign_flip
from app.ports.journal import Sample

PAIRS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=25)


def samples(*scores: float | None, repeat: int = 0) -> list[Sample]:
    return [
        Sample(f"{i}/{repeat}", "c", str(i), repeat, "test", "timed_out" if s is None else "scored", s, "", "")
        for i, s in enumerate(scores)
    ]


def test_a_table_by_hand() -> None:
    """Seven fixed, one broken of 12: p = 2 x (1 + 8) / 2^8."""
    result = paired(samples(*[0.0] * 7, 1, 1, 1, 0, 0), samples(*[1.0] * 7, 0, 1, 1, 0, 0), seed=1)
    assert result.fixed == tuple("0123456")
    assert result.broken == ("7",)
    assert (result.both_right, result.both_wrong, result.better, result.worse) == (2, 2, 7, 1)
    assert (result.n, result.asked, result.coverage) == (12, 12, 1.0)
    assert (result.delta, result.before, result.after) == (0.5, 0.25, 0.75)
    assert result.p_value == pytest.approx(18 / 256)
    assert result.test == "mcnemar_exact"


@pytest.mark.parametrize(("fixed", "broken"), [(0, 0), (1, 0), (6, 0), (5, 5), (12, 3), (3, 12), (400, 350)])
def test_mcnemar_agrees_with_the_binomial_test(fixed: int, broken: int) -> None:
    expected = oracle.binomtest(fixed, fixed + broken).pvalue if fixed + broken else 1.0
    assert mcnemar_exact(fixed, broken) == pytest.approx(expected)


@pytest.mark.parametrize("n", [2, 6, 12])
def test_small_sign_flips_are_exact(n: int) -> None:
    numbers = random.Random(n)
    differences = [numbers.uniform(-0.4, 0.6) for _ in range(n)]
    expected = oracle.permutation_test(
        (differences,), lambda x, axis: x.mean(axis=axis), permutation_type="samples", n_resamples=10**6
    )
    assert sign_flip(differences, seed=1) == pytest.approx(expected.pvalue)


def test_large_sign_flips_come_close_to_the_t_test() -> None:
    numbers = random.Random(3)
    differences = [numbers.gauss(0.06, 0.3) for _ in range(120)]
    assert sign_flip(differences, seed=1) == pytest.approx(oracle.ttest_1samp(differences, 0).pvalue, abs=0.01)


def test_graded_scores_take_the_sign_flip_test() -> None:
    result = paired(samples(0.2, 0.5, 0.95), samples(0.4, 0.9, 0.5), seed=1)
    assert result.test == "sign_flip"
    assert (result.fixed, result.broken, result.both_wrong) == (("1",), ("2",), 1)
    assert (result.better, result.worse) == (2, 1)


def test_the_interval_agrees_with_scipy() -> None:
    numbers = random.Random(5)
    differences = [float(numbers.choice([-1, 0, 0, 1, 1])) for _ in range(60)]
    expected = oracle.bootstrap(
        (differences,), lambda x, axis: x.mean(axis=axis), method="percentile", n_resamples=9999, random_state=1
    ).confidence_interval
    assert bootstrap_interval(differences, seed=1) == pytest.approx((expected.low, expected.high), abs=0.03)


def test_only_what_both_have_scored_is_compared() -> None:
    result = paired(samples(1, 0, None, 0), samples(1, None, 1, 1), seed=1)
    assert (result.n, result.asked, result.coverage, result.delta) == (2, 4, 0.5, 0.5)


def test_cases_that_only_one_side_was_asked_count_as_asked() -> None:
    assert paired(samples(1, 0, 1), samples(1), seed=1).asked == 3


def test_nothing_in_common_gives_no_numbers() -> None:
    result = paired(samples(None), samples(1), seed=1)
    assert (result.n, result.delta, result.p_value, result.low) == (0, None, None, None)


def test_repeats_of_a_case_are_one_pair() -> None:
    before = [s for r in range(4) for s in samples(0, 0, repeat=r)]
    after = [s for r in range(4) for s in samples(1, float(r % 2), repeat=r)]
    result = paired(before, after, seed=1)
    assert (result.n, result.delta, result.test) == (2, 0.75, "sign_flip")


def test_the_seed_decides() -> None:
    before, after = samples(*[0.1 * (i % 7) for i in range(40)]), samples(*[0.1 * (i % 9) for i in range(40)])
    assert paired(before, after, seed=1) == paired(before, after, seed=1)
    assert paired(before, after, seed=1) != paired(before, after, seed=2)


def test_the_order_of_the_cases_changes_no_number() -> None:
    before, after = samples(*[0.1 * (i % 7) for i in range(40)]), samples(*[0.1 * (i % 9) for i in range(40)])
    assert paired(before[::-1], after, seed=1) == paired(before, after[::-1], seed=1)


def test_the_resampling_is_the_same_on_every_machine() -> None:
    """Pinned: a resumed run must find the numbers that the interrupted one found, whatever NumPy it runs on."""
    assert bootstrap_interval([0.0, 0.25, 0.5, -0.25, 1.0, 0.0, 0.5], seed=42) == (0.0, 0.571428571429)
    assert sign_flip([0.1, -0.05, 0.2, 0.15, -0.1] * 5, seed=42) == 0.0229


@given(PAIRS)
def test_swapping_the_sides_mirrors_the_result(scores: list[tuple[float, float]]) -> None:
    before, after = samples(*(a for a, _ in scores)), samples(*(b for _, b in scores))
    there, back = paired(before, after, seed=3), paired(after, before, seed=3)
    assert there.delta == pytest.approx(-_number(back.delta))
    assert (there.fixed, there.broken) == (back.broken, back.fixed)
    assert there.n == len(there.fixed) + len(there.broken) + there.both_right + there.both_wrong
    assert _number(there.low) <= _number(there.delta) + 1e-9
    assert _number(there.delta) <= _number(there.high) + 1e-9 or len(scores) < 3
    assert 0 < _number(there.p_value) <= 1


def _number(value: float | None) -> float:
    assert value is not None
    return value


def test_as_json_has_every_number() -> None:
    said = paired(samples(0, 1), samples(1, 1), seed=1).as_json()
    assert said["coverage"] == 1.0
    assert said["fixed"] == ["0"]
    assert set(said) == {*Paired.__slots__, "coverage"}


def test_cells_of_the_table() -> None:
    assert [cell(0, 1), cell(1, 0), cell(1, 1), cell(0.5, 0.8), cell(None, 1), cell(1, None)] == [
        "fixed", "broken", "both_right", "both_wrong", "unscored", "unscored",
    ]  # fmt: skip


def test_the_smallest_difference_that_a_test_can_show() -> None:
    """(1.96 + 0.84) x 0.5 / 10 = 0.14; a simulation by the normal test finds it 80 % of the time."""
    smallest = minimum_detectable(100, 0.5)
    assert smallest == pytest.approx(0.14, abs=1e-3)
    power = oracle.norm.sf(1.96 - smallest * 10 / 0.5)
    assert power == pytest.approx(0.8, abs=0.005)
    assert minimum_detectable(2, 1.0) == 1.0
