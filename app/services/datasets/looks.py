"""How often the hidden parts of a dataset were looked at: each look is another chance for luck to pass for skill."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.store.looks import comparisons
from app.store.models import Dataset, Look


@dataclass(frozen=True)
class Looks:
    """Looks at the hidden splits of all versions of a dataset; those of deleted runs count, since what was seen stays seen.

    validated: prompts measured on validation, counted once in each run. test_runs: runs that have read test examples.
    comparisons: different comparisons on the test examples; the next one is held to its share of the error.
    """

    validated: int
    test_runs: int
    comparisons: int


def looks(session: Session, dataset: Dataset) -> Looks:
    """The looks so far."""
    root = dataset.root_id or dataset.id
    validated = select(func.count()).where(Look.dataset_id == root, Look.split == "validation")
    runs = select(func.count(Look.run_id.distinct())).where(Look.dataset_id == root, Look.split == "test")
    compared = comparisons(session.connection(), root, "test")
    return Looks(session.scalar(validated) or 0, session.scalar(runs) or 0, compared)
