"""Statistics by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.datasets import statistics
from tests.core.datasets.tables import triples

ROWS = [
    (1, "Where is it?", "where"),
    (2, "where is it", "where "),
    (3, "When?", "when"),
    (5, "when", "where"),
    (6, "12 + 3", "15"),
    (7, "a list", "[1]"),
]


def test_by_hand() -> None:
    assert statistics(ROWS) == {
        "rows": 6,
        "labels_distinct": 4,
        "few_labels": False,
        "labels": [
            {"label": "where", "count": 3},
            {"label": "15", "count": 1},
            {"label": "[1]", "count": 1},
            {"label": "when", "count": 1},
        ],
        "input_chars": {"min": 4, "median": 6, "mean": 7.3, "p95": 12, "max": 12},
        "answer_chars": {"min": 2, "median": 4, "mean": 4.2, "p95": 6, "max": 6},
        "duplicates": 2,
        "conflicts": [{"rows": [3, 5]}],
        "conflicts_total": 1,
        "answers_numeric": 2,
        "answers_json": 2,
    }


def test_nothing_at_all() -> None:
    facts = statistics([])
    assert facts["rows"] == facts["labels_distinct"] == facts["duplicates"] == 0
    assert facts["conflicts"] == []


def test_lists_are_bounded_and_counts_are_not() -> None:
    facts = statistics((i, f"input {i // 2}", f"answer {i}") for i in range(5000))
    assert facts["labels_distinct"] == 5000
    assert len(facts["labels"]) == len(facts["conflicts"]) == 100
    assert facts["conflicts_total"] == facts["duplicates"] == 2500


@pytest.mark.parametrize(("labels", "few"), [(2, True), (50, True), (51, False)])
def test_few_labels(labels: int, few: bool) -> None:
    assert statistics((i, f"{i}", f"l{i % labels}") for i in range(500))["few_labels"] is few


def test_real_rows(shared_data: Path) -> None:
    facts = statistics(triples(shared_data / "datasets/banking77_12way_300.csv"))
    assert facts["labels_distinct"] == 12
    assert {one["count"] for one in facts["labels"]} == {25}
    assert facts["few_labels"] is True
    assert statistics(triples(shared_data / "datasets/gsm8k_200.csv"))["answers_numeric"] == 200
