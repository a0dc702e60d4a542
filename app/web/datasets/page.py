"""The blueprint of the dataset pages, and what several of them need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint

from app.ports.llm import Json
from app.services import datasets
from app.store.models import Dataset
from app.web.database import session

pages = Blueprint("datasets", __name__, url_prefix="/datasets")

DRAWN = 12
"""Answers that the distribution shows one by one."""


@dataclass(frozen=True)
class Bar:
    """One answer of the distribution. share: of all rows; width: against the commonest answer; both in [0, 1]."""

    label: str
    count: int
    share: float
    width: float


def get(dataset_id: int) -> Dataset:
    """The dataset, or NotFound."""
    return datasets.get(session(), dataset_id)


def bars(statistics: Mapping[str, Json]) -> tuple[list[Bar], int]:
    """The commonest answers, and how many rows have another one."""
    labels, rows = statistics["labels"][:DRAWN], max(1, statistics["rows"])
    most = max((one["count"] for one in labels), default=1)
    drawn = [Bar(one["label"], one["count"], one["count"] / rows, one["count"] / most) for one in labels]
    return drawn, statistics["rows"] - sum(bar.count for bar in drawn)


def lengths(statistics: Mapping[str, Json]) -> list[tuple[str, Mapping[str, Json]]]:
    """Characters of inputs and answers."""
    return [("Input", statistics["input_chars"]), ("Answer", statistics["answer_chars"])]
