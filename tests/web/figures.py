"""Figures of scores, made by the product's own statistics."""

from __future__ import annotations

from typing import Any

from app.core import stats
from app.ports.journal import Sample

Scores = dict[str, float | None]
"""Score by case; None where the call failed."""


def mean(scores: Scores) -> dict[str, Any]:
    """A mean as the engine notes it."""
    figures: dict[str, Any] = stats.mean_of(samples(scores)).as_json()
    return figures


def paired(before: Scores, after: Scores) -> dict[str, Any]:
    """A paired comparison as the engine notes it."""
    figures: dict[str, Any] = stats.paired(samples(before), samples(after), seed=42).as_json()
    return figures


def samples(scores: Scores) -> list[Sample]:
    """Bare samples with these scores."""
    return [
        Sample(case, "", case, 0, "", "timed_out" if score is None else "scored", score, "", "")
        for case, score in scores.items()
    ]
