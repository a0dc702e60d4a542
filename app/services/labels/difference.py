"""What two versions of a dataset do not share: changed answers, and rows that only one of them has."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.services.errors import Conflict
from app.store.models import Dataset, Example

CHUNK = 400


@dataclass(frozen=True, slots=True)
class Changed:
    """A row that differs. before, after: its answers; None where the row is not there."""

    row: int
    input: str
    before: str | None
    after: str | None


def difference(session: Session, old: Dataset, new: Dataset) -> list[Changed]:
    """Every row that differs, in order; only rows that a version has touched are looked at.

    Raises: Conflict for two datasets that are not versions of one.
    """
    if (old.root_id or old.id) != (new.root_id or new.id):
        raise Conflict(f"{old.name} and {new.name} are not versions of the same dataset")
    rows = sorted(touched(old) | touched(new))
    before, after = _texts(session, old, rows), _texts(session, new, rows)
    found = []
    for row in rows:
        (given, a), (also, b) = before.get(row, ("", None)), after.get(row, ("", None))
        if a != b:
            found.append(Changed(row, given or also, a, b))
    return found


def touched(dataset: Dataset) -> set[int]:
    """The rows that were corrected or excluded since the first version."""
    return set(dataset.report.get("made_from", {}).get("touched", []))


def _texts(session: Session, dataset: Dataset, rows: list[int]) -> dict[int, tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    for start in range(0, len(rows), CHUNK):
        query = select(Example.row, Example.input, Example.reference).where(Example.dataset_id == dataset.id)
        part = session.execute(query.where(Example.row.in_(rows[start : start + CHUNK])))
        found |= {row: (text, answer) for row, text, answer in part}
    return found
