"""Prompts are merged line by line against their ancestor."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from app.core.model import Candidate
from app.core.optimizers import merged
from app.core.optimizers.examples import parted, with_examples
from tests.core.optimizers.evidence_world import PARENT, TRAIN

LINES = st.lists(st.sampled_from(["one", "two", "three", "four", ""]), max_size=6).map("\n".join)


def pair(system_prompt: str, output_prompt: str = "Answer.") -> Candidate:
    return Candidate(system_prompt, output_prompt, PARENT.model)


BASE = pair("Task.\nRule a.\nRule b.")


def test_changes_at_different_places_come_together() -> None:
    one, other = pair("Task.\nRule A.\nRule b."), pair("Task.\nRule a.\nRule b.\nRule c.", "Only the label.")
    assert merged(BASE, [one, other]) == ("Task.\nRule A.\nRule b.\nRule c.", "Only the label.")


def test_of_two_changes_of_the_same_line_the_first_counts() -> None:
    one, other = pair("Task.\nRule A.\nRule b."), pair("Task.\nRule alpha.\nRule b.")
    assert merged(BASE, [one, other])[0] == one.system_prompt
    assert merged(BASE, [other, one])[0] == other.system_prompt


def test_lines_added_at_one_place_follow_each_other_and_are_not_doubled() -> None:
    one, other = pair(f"{BASE.system_prompt}\nNew 1.\nBoth."), pair(f"{BASE.system_prompt}\nBoth.\nNew 2.")
    assert merged(BASE, [one, other])[0] == f"{BASE.system_prompt}\nNew 1.\nBoth.\nNew 2."


def test_what_one_took_out_stays_out() -> None:
    one, other = pair("Task.\nRule b."), pair("Task.\nRule a.\nRule b.\nRule c.")
    assert merged(BASE, [one, other])[0] == "Task.\nRule b.\nRule c."


def test_examples_come_from_the_first_that_changed_them() -> None:
    base = pair(with_examples(BASE.system_prompt, TRAIN[:2]))
    one = pair(base.system_prompt.replace("Rule a.", "Rule A."))
    other = pair(with_examples(BASE.system_prompt, TRAIN[2:4]))
    text = merged(base, [one, other])[0]
    assert text == with_examples("Task.\nRule A.\nRule b.", TRAIN[2:4])
    assert parted(merged(base, [one])[0])[1] == parted(base.system_prompt)[1]


def test_a_crossover_leaves_out_what_is_not_taken() -> None:
    one, other = pair("Task.\nRule A.\nRule b."), pair("Task.\nRule a.\nRule b.\nRule c.")
    assert merged(BASE, [one, other], lambda: False)[0] == BASE.system_prompt


@given(LINES, LINES)
def test_one_version_alone_is_taken_as_it_is(base: str, version: str) -> None:
    assert merged(pair(base), [pair(version)])[0].rstrip("\n") == version.rstrip("\n")
    assert merged(pair(base), [pair(base)])[0].rstrip("\n") == base.rstrip("\n")


@given(LINES, LINES, LINES, st.integers(0, 9))
def test_a_merger_holds_no_line_that_nobody_wrote(base: str, one: str, other: str, seed: int) -> None:
    numbers = random.Random(seed)
    text = merged(pair(base), [pair(one), pair(other)], lambda: numbers.random() < 0.5)[0]
    assert set(text.splitlines()) <= {*base.splitlines(), *one.splitlines(), *other.splitlines()}
