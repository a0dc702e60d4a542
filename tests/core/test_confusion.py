"""The table of expected and answered labels."""

from __future__ import annotations

from app.core.stats.confusion import Labels, confusion


def test_a_label_is_found_through_its_dress() -> None:
    labels = Labels(["yes", "No", "3.5"])
    assert [labels.find(text) for text in ("Yes.", ' "no" ', "3.5", "maybe", "yes, certainly", "")] == [
        0, 1, 2, None, None, None,
    ]  # fmt: skip


def test_labels_that_differ_in_case_alone_are_told_apart() -> None:
    labels = Labels(["yes", "Yes", "no"])
    assert [labels.find(text) for text in ("yes", "Yes", "YES", "NO")] == [0, 1, None, 2]


def test_counts_and_what_they_rest_on() -> None:
    labels = Labels(["a", "b"])
    found = confusion(labels, [("a", "A", 3), ("a", "b", 1), ("b", "b", 2), ("b", "neither", 1), ("x", "a", 9)], 2)
    assert found.counts == ((3, 1, 0), (0, 2, 1))
    assert (found.n, found.asked, found.agreeing) == (7, 9, 5)
