"""A split is a partition, keeps duplicates together, spreads answers, and depends on texts and seed alone."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.datasets import BadSplit, Split, split
from app.core.datasets.normal import normalised
from app.core.datasets.split import PARTS
from tests.core.datasets.tables import triples

Rows = list[tuple[int, str, str]]

PROPERTY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)


def made(n: int, labels: int = 4) -> Rows:
    return [(i, f"question number {i}", f"label {i % labels}") for i in range(1, n + 1)]


@st.composite
def tables(draw: st.DrawFn) -> Rows:
    """Rows with twins: the same words in another case, with other spaces and marks."""
    inputs = draw(st.lists(st.text("abc 12", min_size=1, max_size=6), min_size=12, max_size=80))
    answers = draw(st.lists(st.sampled_from("xyzw"), min_size=len(inputs), max_size=len(inputs)))
    shouted = draw(st.lists(st.booleans(), min_size=len(inputs), max_size=len(inputs)))
    told = [f"  {text.upper()} !" if loud else text for text, loud in zip(inputs, shouted, strict=True)]
    return [(i, text, answer) for i, (text, answer) in enumerate(zip(told, answers, strict=True), 1)]


def attempt(rows: Rows, seed: int) -> Split | None:
    try:
        return split(rows, (60, 20, 20), seed)
    except BadSplit:  # too many twins
        return None


@PROPERTY
@given(tables(), st.integers(0, 2**31))
def test_every_row_is_in_one_part_and_twins_are_together(rows: Rows, seed: int) -> None:
    if not (parts := attempt(rows, seed)):
        return
    assert sorted(parts.train + parts.validation + parts.test) == [row for row, _, _ in rows]
    side = parts.part_of()
    sides = {normalised(text): side[row] for row, text, _ in rows}
    assert all(sides[normalised(text)] == side[row] for row, text, _ in rows)


@PROPERTY
@given(tables(), st.integers(0, 2**31), st.randoms(use_true_random=False))
def test_order_and_numbers_of_rows_do_not_matter(rows: Rows, seed: int, chance: random.Random) -> None:
    if not (parts := attempt(rows, seed)):
        return
    shuffled = [(row + 1000, text, answer) for row, text, answer in rows]
    chance.shuffle(shuffled)
    again = split(shuffled, (60, 20, 20), seed)
    assert again.digest == parts.digest
    assert [row - 1000 for row in again.train] == list(parts.train)
    assert [row - 1000 for row in again.test] == list(parts.test)


@PROPERTY
@given(st.integers(30, 300), st.integers(1, 12), st.integers(0, 1000))
def test_sizes_follow_the_ratios_in_all_and_within_each_answer(n: int, labels: int, seed: int) -> None:
    rows = made(n, labels)
    parts = split(rows, (60, 20, 20), seed)
    side = parts.part_of()
    for part, share in zip(PARTS, (0.6, 0.2, 0.2), strict=True):
        assert abs(len(getattr(parts, part)) - share * n) <= 2
        counts = Counter(answer for row, _, answer in rows if side[row] == part)
        for answer, total in Counter(answer for _, _, answer in rows).items():
            assert abs(counts[answer] - share * total) <= 2


def test_the_digest_marks_texts_sides_and_seed() -> None:
    rows = made(60)
    digest = split(rows).digest
    assert digest == split(rows, (60, 20, 20), 42).digest
    assert digest != split(rows, (60, 20, 20), 43).digest
    assert digest != split(rows, (50, 25, 25), 42).digest
    assert digest != split([*rows[:-1], (60, rows[-1][1], "another answer")]).digest


def test_a_split_stays_what_it_was_when_released() -> None:
    """A frozen split is recomputed when its run is resumed, perhaps by a newer version: it must not change."""
    assert split(made(60)).digest == "afc2d251a396add79e5a8d9dda6c7843"


def test_under_thirty_rows_there_is_no_test_split_and_it_is_said() -> None:
    parts = split(made(29, 3))
    assert parts.test == ()
    assert len(parts.validation) in (7, 8)
    assert "Only 29 rows" in parts.notes[0]
    assert split(made(30, 3)).test != ()
    assert "no test split" in split(made(30, 3), (80, 20, 0)).notes[0]


def test_two_rows_are_one_to_learn_from_and_one_to_judge_by() -> None:
    parts = split([(1, "a", "x"), (2, "b", "y")])
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (1, 1, 0)


@pytest.mark.parametrize(
    ("rows", "ratios", "message"),
    [
        (made(60), (60, 20, 30), "sum to 100"),
        (made(60), (80, 20), "sum to 100"),
        (made(60), (140, -20, -20), "sum to 100"),
        (made(60), (0, 50, 50), "train share must not be 0"),
        (made(60), (50, 0, 50), "validation share must not be 0"),
        (made(1), (60, 20, 20), "validation split would be empty"),
        ([], (60, 20, 20), "train split would be empty"),
        (made(40), (98, 1, 1), "validation split would be empty: 1% of 40 rows; at least 100"),
        ([(i, "The same!", "x") for i in range(40)], (60, 20, 20), "1 different ones: near duplicates stay together"),
    ],
)
def test_a_split_that_cannot_be_is_refused(rows: Rows, ratios: tuple[int, ...], message: str) -> None:
    with pytest.raises(BadSplit) as error:
        split(rows, ratios)
    assert message in str(error.value)
    assert error.value.field == "split"


def test_twins_and_rare_answers_are_said_aloud() -> None:
    rows = [*made(50, 2), (51, "Question number 1?", "label 1"), (52, "something else", "rare one")]
    notes = " ".join(split(rows).notes)
    assert "1 row(s) repeat the input" in notes
    assert "too few rows to be in every split: 'rare one'" in notes


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Where is my card?", "where  is my card", True),
        ("I can't “log in”!", "i can’t log in", True),
        ("Caf\u00e9.", "cafe\u0301", True),
        ("2+2", "2-2", False),
        ("3.5", "35", False),
        ("is 5:30 ok", "is 530 ok", False),
        ("???", "!!!", False),
        ("a-b", "a b", False),
        ("C#", "C", False),
    ],
)
def test_near_duplicates(one: str, other: str, same: bool) -> None:
    assert (normalised(one) == normalised(other)) is same


def test_real_rows_are_stratified(shared_data: Path) -> None:
    rows = triples(shared_data / "datasets/banking77_12way_300.csv")
    parts = split(rows)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (180, 60, 60)
    side = parts.part_of()
    assert set(Counter(answer for row, _, answer in rows if side[row] == "test").values()) == {5}
