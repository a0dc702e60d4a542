"""Word diffs lose nothing and are fast."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.prompts import word_diff


@pytest.mark.parametrize(
    ("before", "after", "ops"),
    [
        ("", "", []),
        ("same", "same", [("equal", "same")]),
        ("", "new", [("insert", "new")]),
        ("old", "", [("delete", "old")]),
        (
            "Answer in one word.",
            "Answer in two words.",
            [("equal", "Answer in "), ("delete", "one word"), ("insert", "two words"), ("equal", ".")],
        ),
        ("a\nb", "a\nx\nb", [("equal", "a\n"), ("insert", "x\n"), ("equal", "b")]),
        ("keep this", "keep this, too", [("equal", "keep this"), ("insert", ", too")]),
    ],
)
def test_changes_are_shown_by_words(before: str, after: str, ops: list[tuple[str, str]]) -> None:
    assert word_diff(before, after) == ops


@given(st.text("ab ,\n\u00e9", max_size=60), st.text("ab ,\n\u00e9", max_size=60))
def test_both_texts_can_be_read_back(before: str, after: str) -> None:
    ops = word_diff(before, after)
    assert "".join(text for op, text in ops if op != "insert") == before
    assert "".join(text for op, text in ops if op != "delete") == after
    assert all(text for _, text in ops)


def test_8000_words_take_under_a_second() -> None:
    rng = random.Random(1)
    words = [f"word{rng.randrange(900)}" for _ in range(8000)]
    other = [w if rng.random() > 0.1 else f"new{rng.randrange(900)}" for w in words]
    start = time.perf_counter()
    word_diff(" ".join(words), " ".join(other))
    assert time.perf_counter() - start < 1
