"""When a race is left, and when a search is on a plateau; numbers by hand."""

from __future__ import annotations

import math
import random
from statistics import NormalDist

import pytest

from app.core.stats import UNLIKELY, chance_to_win, plateau
from app.ports.journal import Sample


def samples(*scores: float | None) -> list[Sample]:
    return [
        Sample(str(i), "c", str(i), 0, "validation", "provider_error" if s is None else "scored", s, "", "")
        for i, s in enumerate(scores)
    ]


def test_the_forecast_by_hand() -> None:
    """Three worse, one better, four to come; with the imagined pairs eight of mean -1/4 and variance 0.5625: z = -3 / 1.837."""
    before, after = samples(1, 1, 1, 0), samples(0, 0, 0, 1)
    mean = -2 / 8
    variance = (3 * (-1 - mean) ** 2 + (1 - mean) ** 2 + 4 * (0.25 + mean**2)) / 8
    spread = math.sqrt(variance * 4 * (1 + 4 / 8))
    expected = 1 - NormalDist(-2 + 4 * mean, spread).cdf(0)
    assert chance_to_win(before, after, 4, min_delta=0.0) == pytest.approx(expected)
    assert expected == pytest.approx(0.0512, abs=0.0001)


def test_nothing_to_come_is_decided() -> None:
    assert chance_to_win(samples(0, 1), samples(1, 1), 0, min_delta=0.0) == 1.0
    assert chance_to_win(samples(1, 1), samples(1, 1), 0, min_delta=0.0) == 0.0


def test_the_minimum_counts_against_the_child() -> None:
    before, after = samples(*[0] * 8), samples(*[0] * 7, 1)
    chances = [chance_to_win(before, after, 8, min_delta=least) for least in (0.0, 0.1, 0.5)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 0.5 > chances[2]


def test_failed_calls_are_no_wrong_answers() -> None:
    with_errors = chance_to_win(samples(0, 1, 1, 1), samples(1, 1, None, None), 10, min_delta=0.0)
    assert with_errors == chance_to_win(samples(0, 1), samples(1, 1), 10, min_delta=0.0)


def test_a_few_unlucky_rows_end_no_race() -> None:
    assert chance_to_win(samples(1), samples(0), 40, min_delta=0.0) > UNLIKELY
    assert chance_to_win(samples(*[1] * 12), samples(*[0] * 12), 40, min_delta=0.0) < 0.001


def test_leaving_a_race_costs_few_good_children_and_lets_no_bad_one_win() -> None:
    """Children that are 10 points better on 48 examples in blocks of 12: what the stop loses of those that would have won."""
    numbers, would, lost = random.Random(5), 0, 0
    for _ in range(400):
        differences = numbers.choices((1, -1, 0), (0.2, 0.1, 0.7), k=48)
        before, after = samples(*[0.5] * 48), samples(*[0.5 + d / 2 for d in differences])
        if sum(differences) > 0:
            would += 1
            stops = (chance_to_win(before[:n], after[:n], 48 - n, min_delta=0.0) < UNLIKELY for n in (12, 24, 36))
            lost += any(stops)
    assert would > 300
    assert lost / would < 0.05


@pytest.mark.parametrize(
    ("gains", "expected"),
    [
        ([], False),
        ([0.1], False),
        ([0.0, 0.0, 0.0], True),  # (1 - 1/2)^3 = 0.125
        ([0.0, 0.0], False),  # 0.25
        ([0.1, 0.0], False),  # (1 - 2/3)^1 = 0.33
        ([0.1, 0.0, 0.0], True),  # 0.11
        ([0.1, 0, 0, 0, 0, 0.1, 0, 0, 0], False),  # (1 - 3/8)^3 = 0.24
        ([0.1, 0, 0, 0, 0, 0.1, 0, 0, 0, 0], True),  # 0.15
    ],
)
def test_a_plateau_by_hand(gains: list[float], expected: bool) -> None:
    assert plateau(gains) is expected


def test_the_rarer_success_was_the_longer_it_is_waited_for() -> None:
    waits = []
    for misses in (0, 5, 20):
        history, wait = [0.0] * misses + [0.1], 0
        while not plateau([*history, *[0.0] * wait]):
            wait += 1
        waits.append(wait)
    assert waits == sorted(waits)
    assert waits[0] < waits[1] < waits[2]
