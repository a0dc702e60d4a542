"""Rows of a CSV file as the standard library reads them: what our own reader is held against."""

from __future__ import annotations

import csv
from pathlib import Path


def triples(path: Path) -> list[tuple[int, str, str]]:
    """(row number, input, answer) of a file with the default column names."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(i, r["user_input"], r["ground_truth_output"]) for i, r in enumerate(csv.DictReader(file), 1)]
