"""What the form of a training says about the dataset that is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.services import datasets
from app.services.errors import NotFound
from app.store.models import Dataset
from app.web.database import session
from app.web.datasets.page import Bar, bars

DRAWN = 5


@dataclass(frozen=True)
class DataFacts:
    """bars: the commonest answers. others: how many further different answers there are."""

    dataset: Dataset
    bars: Sequence[Bar]
    others: int


def facts_of(name: str) -> DataFacts | None:
    """What is known of an imported dataset; None when none of this name is here."""
    try:
        dataset = datasets.get(session(), name) if name else None
    except NotFound:
        return None
    if dataset is None:
        return None
    drawn, _ = bars(dataset.statistics)
    return DataFacts(dataset, drawn[:DRAWN], max(0, dataset.statistics["labels_distinct"] - DRAWN))
