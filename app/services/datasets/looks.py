"""How often the hidden parts of a dataset were looked at: each look is another chance for luck to pass for skill."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.store.models import Dataset, Look


@dataclass(frozen=True)
class Looks:
    """Looks at one split of all versions of a dataset. runs: those that looked; candidates: prompts that they measured."""

    runs: int
    candidates: int
    last_at: dt.datetime | None


def looks(session: Session, dataset: Dataset) -> dict[str, Looks]:
    """The looks at "validation" and "test". Runs that were deleted count: what was seen stays seen."""
    counted = (func.count(Look.run_id.distinct()), func.count(), func.max(Look.at))
    query = select(Look.split, *counted).where(Look.dataset_id == (dataset.root_id or dataset.id)).group_by(Look.split)
    found = {split: Looks(runs, candidates, last_at) for split, runs, candidates, last_at in session.execute(query)}
    return {split: found.get(split, Looks(0, 0, None)) for split in ("validation", "test")}
