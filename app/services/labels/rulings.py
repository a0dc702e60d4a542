"""What people decided about labels: keep, correct or exclude, one ruling a row, taken back whenever they like."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.datasets import Limits
from app.core.datasets.normal import canonical_answer
from app.core.storable import storable
from app.services.errors import Invalid, NotFound, Problem
from app.store.models import Dataset, Example, Ruling

RULINGS = ("keep", "correct", "exclude")
LONGEST_NOTE = 2_000


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody says about a row. reference: for correct, the answer that is right."""

    ruling: str
    reference: str = ""
    note: str = ""


def rule(
    session: Session, dataset: Dataset, row: int, decision: Decision, *, most_chars: int = Limits().max_cell_chars
) -> Ruling:
    """Decide about a row; a ruling that was there is replaced. Commits.

    most_chars: characters of an answer. Raises: NotFound for a row that is not there; Invalid.
    """
    example = _example(session, dataset, row)
    ruling, reference, note = decision.ruling, storable(decision.reference), storable(decision.note.strip())
    if problems := _problems(example, Decision(ruling, reference, note), most_chars):
        raise Invalid(problems)
    values = {"ruling": ruling, "reference": reference if ruling == "correct" else None, "note": note}
    try:
        return _put(session, dataset, row, values)
    except IntegrityError:  # somebody ruled about the same row at the same moment
        session.rollback()
        return _put(session, dataset, row, values)


def take_back(session: Session, dataset: Dataset, row: int) -> None:
    """Let a row be undecided again; nothing happens when it is. Commits. Raises: NotFound."""
    _example(session, dataset, row)
    if found := _find(session, dataset, row):
        session.delete(found)
    session.commit()


def rulings_of(session: Session, dataset: Dataset) -> dict[int, Ruling]:
    """Every ruling by row."""
    query = select(Ruling).where(Ruling.dataset_id == dataset.id).order_by(Ruling.row)
    return {one.row: one for one in session.scalars(query.execution_options(populate_existing=True))}


def counted(session: Session, dataset: Dataset) -> dict[str, int]:
    """How many rulings of each sort there are."""
    query = select(Ruling.ruling, func.count()).where(Ruling.dataset_id == dataset.id).group_by(Ruling.ruling)
    return dict.fromkeys(RULINGS, 0) | {row.ruling: n for row in session.execute(query) if (n := row[1])}


def _example(session: Session, dataset: Dataset, row: int) -> Example:
    query = select(Example).where(Example.dataset_id == dataset.id, Example.row == row)
    found = session.scalars(query).one_or_none() if 0 < row < 2**31 else None
    if found is None:
        raise NotFound(f"{dataset.name} has no row {row}")
    return found


def _problems(example: Example, decision: Decision, most: int) -> list[Problem]:
    ruling, reference, note, problems = decision.ruling, decision.reference, decision.note, []
    if ruling not in RULINGS:
        problems.append(Problem("ruling", f"must be one of {', '.join(RULINGS)}, not {ruling[:40]!r}"))
    if len(note) > LONGEST_NOTE:
        problems.append(Problem("note", f"may have at most {LONGEST_NOTE:,} characters"))
    if ruling == "correct" and not reference.strip():
        problems.append(Problem("reference", "write the answer that is right, or exclude the row"))
    elif ruling == "correct" and len(reference) > most:
        problems.append(Problem("reference", f"may have at most {most:,} characters"))
    elif ruling == "correct" and canonical_answer(reference) == canonical_answer(example.reference):
        problems.append(Problem("reference", "is the answer that stands there already; to leave it, choose keep"))
    return problems


def _find(session: Session, dataset: Dataset, row: int) -> Ruling | None:
    return session.scalars(select(Ruling).where(Ruling.dataset_id == dataset.id, Ruling.row == row)).one_or_none()


def _put(session: Session, dataset: Dataset, row: int, values: dict[str, str | None]) -> Ruling:
    found = _find(session, dataset, row) or Ruling(dataset_id=dataset.id, row=row)
    for name, value in values.items():
        setattr(found, name, value)
    session.add(found)
    session.commit()
    return found
