"""Acceptance, racing and the verdict in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.stats import RULES, Paired, accepts, cannot_win, paired, pairs, strictness, verdict
from app.ports.journal import Sample

SCORE = st.sampled_from([None, 0.0, 0.25, 0.5, 1.0])


def samples(*scores: float | None, first: int = 0) -> list[Sample]:
    return [
        Sample(str(i), "c", str(i), 0, "test", "provider_error" if s is None else "scored", s, "", "")
        for i, s in enumerate(scores, start=first)
    ]


def comparison(fixed: int, broken: int, same: int = 0, unscored: int = 0) -> Paired:
    before = [0.0] * fixed + [1.0] * broken + [1.0] * same + [None] * unscored
    after = [1.0] * fixed + [0.0] * broken + [1.0] * (same + unscored)
    return paired(samples(*before), samples(*after), seed=7)


def test_any_improvement_is_enough_for_the_search() -> None:
    assert accepts("improvement", comparison(1, 0, 9), min_delta=0.0, alpha=0.05) == (
        True,
        "improved: +0.100 on 10 examples (1 fixed, 0 broken)",
    )
    assert accepts("improvement", comparison(1, 1, 8), min_delta=0.0, alpha=0.05) == (
        False,
        "no improvement: +0.000 on 10 examples (1 fixed, 1 broken)",
    )


def test_a_minimum_must_be_exceeded_not_reached() -> None:
    assert not accepts("improvement", comparison(1, 0, 9), min_delta=0.1, alpha=0.05)[0]
    assert accepts("improvement", comparison(2, 0, 8), min_delta=0.1, alpha=0.05)[0]


def test_confidence_needs_significance() -> None:
    refused, why = accepts("confidence", comparison(5, 0, 5), min_delta=0.0, alpha=0.05)
    assert not refused
    assert "p = 0.0625" in why
    assert accepts("confidence", comparison(6, 0, 4), min_delta=0.0, alpha=0.05)[0]


@pytest.mark.parametrize("rule", RULES)
def test_too_many_failed_calls_decide_nothing(rule: str) -> None:
    accepted, why = accepts(rule, comparison(10, 0, 1, unscored=9), min_delta=0.0, alpha=0.05)
    assert not accepted
    assert why == "indecisive: only 11 of 20 examples were scored for both (55%; 60% are needed)"
    assert accepts(rule, comparison(0, 0, 0, 3), min_delta=0.0, alpha=0.05)[1].startswith("indecisive")


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="known: improvement, confidence"):
        accepts("hope", comparison(1, 0), min_delta=0.0, alpha=0.05)


def test_a_hopeless_race_is_stopped() -> None:
    assert cannot_win(samples(1, 1, 1), samples(0, 0, 0), samples(0, 0, first=3), min_delta=0.0)
    assert not cannot_win(samples(1, 1, 1), samples(0, 0, 0), samples(0, 0, 0, 0, first=3), min_delta=0.0)
    assert cannot_win(samples(1, 1), samples(0, 1), samples(1, 1, 1, first=2), min_delta=0.0)


def test_what_the_parent_could_not_score_is_no_hope() -> None:
    assert cannot_win(samples(1), samples(0), samples(None, None, first=1), min_delta=0.0)


@given(st.lists(st.tuples(SCORE, SCORE), min_size=1, max_size=12), st.integers(0, 11), st.sampled_from([0.0, 0.1, 0.3]))
def test_stopping_a_race_never_changes_the_decision(
    scores: list[tuple[float | None, float | None]], done: int, min_delta: float
) -> None:
    """Whatever the rest would have brought, a race that is stopped could not have been accepted."""
    parent, child = samples(*(a for a, _ in scores)), samples(*(b for _, b in scores))
    if cannot_win(parent[:done], child[:done], parent[done:], min_delta=min_delta):
        assert not accepts("improvement", paired(parent, child, seed=1), min_delta=min_delta, alpha=0.05)[0]


def test_ship_in_words() -> None:
    ruling, sentence = verdict(comparison(17, 1, 18))
    assert ruling == "ship"
    assert sentence.startswith(
        "Ship the new prompts: on 36 unseen examples the mean score rose from 0.53 to 0.97, by +0.44, 95 % interval +0."
    )
    assert "17 fixed, 1 broken. Chance alone would bring a difference this large about 1 time in 6,899" in sentence
    assert "(p = 0.00014, McNemar's exact test)." in sentence


def test_keep_in_words() -> None:
    ruling, sentence = verdict(comparison(4, 2, 30))
    assert ruling == "keep"
    assert "the mean score rose from 0.89 to 0.94, by +0.06" in sentence
    assert "Chance alone explains a difference of this size well enough (p = 0.69, McNemar's exact test)." in sentence
    assert "With 36 examples, improvements below about 0.19 are likely to go unnoticed." in sentence


def test_worse_and_unchanged_are_said() -> None:
    assert "chance hardly explains it" in verdict(comparison(0, 9, 20))[1]
    ruling, sentence = verdict(comparison(0, 0, 20))
    assert ruling == "keep"
    assert sentence.endswith("0 fixed, 0 broken. The new prompts changed no score.")


def test_left_out_examples_are_said() -> None:
    assert "on 20 unseen examples (2 more could not be scored and were left out)" in verdict(comparison(9, 1, 10, 2))[1]


@pytest.mark.parametrize(("n", "ruling"), [(0, "indecisive"), (1, "indecisive"), (5, "indecisive"), (6, "ship")])
def test_too_few_pairs_are_indecisive(n: int, ruling: str) -> None:
    assert verdict(comparison(n, 0))[0] == ruling


def test_low_coverage_is_indecisive() -> None:
    ruling, sentence = verdict(comparison(12, 0, 0, unscored=10))
    assert ruling == "indecisive"
    assert "12 of 22" in sentence


def test_graded_scores_are_counted_as_better_and_worse() -> None:
    before, after = samples(*[0.2] * 12, 0.8), samples(*[0.6] * 12, 0.7)
    ruling, sentence = verdict(paired(before, after, seed=1))
    assert ruling == "ship"
    assert "12 better, 1 worse" in sentence
    assert "sign-flip permutation test" in sentence


def test_the_third_comparison_on_a_test_split_is_held_to_a_third_of_the_level() -> None:
    assert strictness(0.05, 1) == (0.05, 0.95)
    assert strictness(0.06, 3) == pytest.approx((0.02, 1 - 0.05 / 3))
    eight_fixed = comparison(8, 1, 20)  # p = 2 x (1 + 9) / 2^9 = 0.039
    assert eight_fixed.p_value == pytest.approx(20 / 512)
    assert verdict(eight_fixed)[0] == "ship"
    ruling, sentence = verdict(eight_fixed, number=3)
    assert ruling == "keep"
    assert "This is the 3rd comparison on this dataset's test examples, so it is held to p < 0.017" in sentence
    ruling, sentence = verdict(comparison(6, 0), number=2)  # 2 x 0.5^6 = 0.031, above 0.025
    assert ruling == "indecisive"
    assert "at the level 0.025 that the 2nd comparison on one test split is held to, however large" in sentence


@pytest.mark.parametrize(
    ("number", "said"), [(2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (21, "21st"), (112, "112th")]
)
def test_comparisons_are_numbered_as_people_do(number: int, said: str) -> None:
    assert f"the {said} comparison" in verdict(comparison(30, 0), number=number)[1]


def again(*scores: float | None, repeat: int) -> list[Sample]:
    return [replace(sample, repeat=repeat) for sample in samples(*scores)]


def test_repeats_of_one_case_are_one_piece_of_evidence() -> None:
    before = again(0.0, 1.0, 0.0, repeat=0) + again(0.0, 0.0, None, repeat=1)
    after = again(1.0, 1.0, 1.0, repeat=0) + again(0.0, 1.0, 1.0, repeat=1)
    found = paired(before, after, seed=1)
    assert (found.n, found.asked, found.test) == (3, 3, "sign_flip")
    assert found.delta == pytest.approx((0.5 + 0.5 + 1.0) / 3)
    assert [d for _, a, b in pairs(before, after) for d in (b - a,)] == [0.5, 0.5, 1.0]


def test_hope_for_a_case_asked_twice_is_that_of_its_worse_answer() -> None:
    behind, ahead = samples(1.0, 1.0), samples(0.0, 1.0)
    to_come = again(0.0, repeat=0) + again(1.0, repeat=1)
    assert not cannot_win(behind, ahead, [*to_come, *samples(0.5, first=7)], min_delta=0.0)
    assert cannot_win(behind, ahead, again(1.0, repeat=0) + again(1.0, repeat=1), min_delta=0.0)
