"""Noise measured by a pilot: the variance between and within examples, and what a small pilot leaves open."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.stats.noise import noise_of
from tests.core.stats.test_flips import answers


def test_the_parts_of_the_variance_by_hand() -> None:
    # Means 1, 0.5, 0, 0.5: variance 1/6. Within: (0 + 0.5 + 0 + 0.5) / 4 = 0.25, of which means of two keep half.
    noise = noise_of(answers([1.0, 1.0], [1.0, 0.0], [0.0, 0.0], [0.0, 1.0]))
    assert noise is not None
    assert noise.spread.within == pytest.approx(0.25)
    assert noise.spread.between == pytest.approx(1 / 6 - 0.125)
    assert (noise.n, noise.flips.rate, noise.mean.mean) == (4, 0.5, 0.5)


def test_right_or_wrong_answers_vary_within_by_half_of_the_flip_rate() -> None:
    noise = noise_of(answers(*[[1.0, 0.0]] * 3, *[[1.0, 1.0]] * 9, *[[0.0, 0.0]] * 4))
    assert noise is not None
    assert noise.spread.within == pytest.approx(noise.flips.rate / 2)  # type: ignore[operator]
    assert noise.low.within == pytest.approx(noise.flips.low / 2)  # type: ignore[operator]
    assert noise.high.within == pytest.approx(noise.flips.high / 2)  # type: ignore[operator]


@pytest.mark.parametrize("binary", [True, False])
def test_the_truth_is_found_on_average_and_mostly_within_the_interval(binary: bool) -> None:
    dice, totals, covered = np.random.default_rng(5), [], 0
    for _ in range(300):
        hard = dice.beta(2, 2, 24)  # variance 0.05
        noise = noise_of(answers(*[_two(dice, chance, binary) for chance in hard]))
        assert noise is not None
        totals.append((noise.spread.between, noise.spread.within))
        covered += noise.low.total <= (0.25 if binary else 0.05 + 0.01 / 3) <= noise.high.total
    between, within = np.mean(totals, axis=0)
    assert between == pytest.approx(0.05, abs=0.01)
    # Of right or wrong: the mean of p (1 - p), which is 0.25 - 0.05. Of graded: a width of 0.2, uniform.
    assert within == pytest.approx(0.20 if binary else 0.2**2 / 12, abs=0.01)
    assert covered > 300 * (0.93 if binary else 0.85)


def _two(dice: np.random.Generator, chance: float, binary: bool) -> list[float | None]:
    if binary:
        return [float(dice.random() < chance) for _ in range(2)]
    return [float(np.clip(chance + dice.uniform(-0.1, 0.1), 0, 1)) for _ in range(2)]


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_equal_scores_do_not_promise_that_there_is_no_spread(score: float) -> None:
    noise = noise_of(answers(*[[score, score]] * 16))
    assert noise is not None
    assert noise.flat
    # The mean may be off by 3/16: of the largest variance, 3/16 x 13/16.
    assert noise.spread.total == noise.high.total == pytest.approx(3 / 16 * 13 / 16)
    assert noise.low.total == 0.0


def test_more_equal_scores_leave_less_open() -> None:
    few, many = (noise_of(answers(*[[1.0, 1.0]] * n)) for n in (4, 64))
    assert few is not None
    assert many is not None
    assert few.high.total == 0.25  # 3 of 4 may be wrong, so one half may
    assert many.high.total < 0.05


def test_what_is_measured_lies_between_its_ends() -> None:
    dice = np.random.default_rng(9)
    for n in (2, 3, 8, 40):
        for binary in (True, False):
            noise = noise_of(answers(*[_two(dice, 0.6, binary) for _ in range(n)]))
            assert noise is not None
            for part in ("total", "within"):
                low, value, high = (getattr(one, part) for one in (noise.low, noise.spread, noise.high))
                assert 0 <= low <= value + 1e-12, (n, binary, part)
                assert value <= high + 1e-12, (n, binary, part)


def test_failed_calls_leave_what_was_scored() -> None:
    noise = noise_of(answers([1.0, None], [0.0, None], [None, None]))
    assert noise is not None
    assert (noise.n, noise.flips.n, noise.mean.n, noise.mean.asked) == (2, 0, 2, 6)
    assert noise.spread.between == pytest.approx(0.5)


def test_fewer_than_two_examples_show_no_spread() -> None:
    assert noise_of([]) is None
    assert noise_of(answers([1.0, 0.0])) is None
    assert noise_of(answers([1.0, 1.0], [None, None])) is None
