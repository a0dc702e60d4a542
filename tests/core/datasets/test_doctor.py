"""What makes an example doubtful, and how doubtful; every figure is worked out by hand."""

from __future__ import annotations

import pytest

from app.core.datasets.doctor import (
    Conflict,
    Failing,
    Finding,
    Flips,
    Given,
    at_least,
    conflicts,
    failing,
    ranked,
    strong,
)


@pytest.mark.parametrize(
    ("times", "of", "low"),
    [
        (2, 2, 0.34238),
        (3, 3, 0.438503),
        (4, 4, 0.510109),
        (5, 10, 0.236593),
        (1, 2, 0.094531),
        (0, 3, 0.0),
        (0, 0, 0.0),
    ],
)
def test_agreement_counts_as_the_lower_end_of_wilsons_interval(times: int, of: int, low: float) -> None:
    """For k of k it is k / (k + z^2), z^2 = 3.841459."""
    assert at_least(times, of) == pytest.approx(low, abs=1e-6)


def test_strong_is_what_is_near_the_best_and_was_asked_enough() -> None:
    means = {"best": (20, 0.80), "near": (20, 0.75), "below": (20, 0.7499), "lucky": (9, 1.0), "half": (10, 0.78)}
    assert strong(means) == ["best", "near", "half"]
    assert strong({}) == []


def test_wrong_answers_are_grouped_by_their_words_and_each_candidate_counts_once() -> None:
    given = [
        Given("a", "r1", "Refund."),
        Given("b", "r1", "refund"),
        Given("c", "r1", "late"),
        Given("c", "r2", "REFUND"),
    ]
    found = failing("tracking", given)
    assert (found.asked, found.agreed, [one.text for one in found.answers]) == (3, 3, ["Refund."])
    assert [one.run for one in found.answers[0].by] == ["r1", "r1", "r2"]
    assert not found.answers[0].same_words


def test_an_answer_that_differs_by_its_signs_alone_suggests_nothing() -> None:
    found = failing("Paris", [Given("a", "r", "paris."), Given("b", "r", "PARIS")])
    assert found.answers[0].same_words
    assert Finding(1, failing=found).suggestion == ""


def test_a_conflict_tells_each_row_what_the_others_say() -> None:
    rows = [
        (1, "Where is it?", "a"),
        (2, "where is it", "b"),
        (3, "WHERE is it", "b "),
        (4, "else", "a"),
        (5, "Else!", "a"),
    ]
    assert dict(conflicts(rows)) == {
        1: Conflict((1, 2, 3), "b", 2),
        2: Conflict((1, 2, 3), "a", 1),
        3: Conflict((1, 2, 3), "a", 1),
    }


def agreed(row: int, times: int, of: int) -> Finding:
    texts = ["other"] * times + [f"text {n}" for n in range(of - times)]
    return Finding(row, failing=failing("right", [Given(str(n), "r", text) for n, text in enumerate(texts)]))


def test_the_strongest_agreement_comes_first_then_conflicts_then_flips() -> None:
    """3/3 0.4385; 2/2 0.3424; 2 of 3 rows 0.2077; flips 2/2, half of 0.3424 is 0.1712; 1/2 0.0945."""
    findings = [
        agreed(1, 2, 2),
        Finding(2, flips=Flips(2, 2)),
        agreed(3, 3, 3),
        Finding(4, conflict=Conflict((4, 5, 6), "b", 2)),
        agreed(7, 1, 2),
        agreed(8, 2, 2),
    ]
    assert [(one.row, round(one.suspicion, 4)) for one in ranked(findings)] == [
        (3, 0.4385), (1, 0.3424), (8, 0.3424), (4, 0.2077), (2, 0.1712), (7, 0.0945),
    ]  # fmt: skip


def test_a_row_has_the_strongest_of_its_signs() -> None:
    both = Finding(1, Failing(1, ()), Conflict((1, 2), "b", 1), Flips(1, 1), frozenset({"test", "train"}))
    assert (both.suspicion, both.signs, both.suggestion) == (0.103275, ("failing", "conflict", "flips"), "b")
    assert both.sealed
