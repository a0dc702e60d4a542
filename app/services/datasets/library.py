"""Datasets by name. A deleted one leaves the lists and frees its name, but runs that use it keep its examples."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from app.core.datasets import BadSplit, Split, split
from app.services.datasets.pictures import marked_rows
from app.services.errors import Invalid, NotFound, Problem
from app.store.models import Dataset, Example

LONGEST_NAME = 200
SEARCHED = 50_000
"""Rows that one page of a search looks through: reading a million of them would take seconds."""
NAMED = 10
"""Names that a message lists."""


def list_datasets(
    session: Session, *, search: str = "", after: int | None = None, limit: int | None = None
) -> list[Dataset]:
    """Datasets that are not deleted, the newest first.

    search: words that must each occur in the name or the file's name. after: id of the last one of the page before.
    """
    query = _alive().order_by(Dataset.id.desc()).limit(limit)
    if after is not None:
        query = query.where(Dataset.id < after)
    for word in search.split():
        columns = (Dataset.name, Dataset.source)
        query = query.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    return list(session.scalars(query))


def get(session: Session, name_or_id: str | int) -> Dataset:
    """The dataset of that name, else the one of that number. Raises: NotFound, naming those that there are."""
    text = str(name_or_id).strip()
    found = None if isinstance(name_or_id, int) else session.scalars(_alive().where(Dataset.name == text)).one_or_none()
    if found is None and text.isdecimal() and len(text) < 18:
        found = session.scalars(_alive().where(Dataset.id == int(text))).one_or_none()
    if found is None:
        raise NotFound(f"there is no dataset {text[:LONGEST_NAME]!r}; {_others(session)}")
    return found


def examples(session: Session, dataset: Dataset, *, after: int = 0, limit: int = 50, search: str = "") -> list[Example]:
    """A page of examples in the order of the file.

    after: row number of the last example of the page before. search: words that must each occur in input or answer; a page
    looks through SEARCHED rows, and searched_up_to() says where the next one goes on.
    """
    query = select(Example).where(Example.dataset_id == dataset.id, Example.row > after)
    if search:
        query = query.where(Example.row <= after + SEARCHED)
    for word in search.split():
        columns = (Example.input, Example.reference)
        query = query.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    return list(session.scalars(query.order_by(Example.row).limit(limit)))


def searched_up_to(session: Session, dataset: Dataset, after: int, search: str) -> int | None:
    """Where a search goes on whose page is not full: the last row that it looked at; None at the end of the dataset."""
    last = session.scalar(select(func.max(Example.row)).where(Example.dataset_id == dataset.id)) or 0
    return after + SEARCHED if search and after + SEARCHED < last else None


def split_preview(session: Session, dataset: Dataset, ratios: Sequence[int] = (60, 20, 20), seed: int = 42) -> Split:
    """How a run with these settings would divide the rows. Raises: Invalid when a part would be empty."""
    try:
        return split(marked_rows(session, dataset.id), ratios, seed)
    except BadSplit as error:
        raise Invalid([Problem(error.field, error.message)]) from None


def delete(session: Session, dataset: Dataset) -> None:
    """Take the dataset out of the lists; another one may have its name now. Runs that use it go on. Commits."""
    dataset.deleted_at = dt.datetime.now(dt.UTC)
    mark = f" (deleted, number {dataset.id})"
    dataset.name = dataset.name[: LONGEST_NAME - len(mark)] + mark
    session.commit()


def checked_name(name: str) -> str:
    """The name without spaces around it. Raises: Invalid."""
    clean = " ".join(name.split())
    if not clean or len(clean) > LONGEST_NAME or not clean.isprintable():
        message = f"write a name of 1 to {LONGEST_NAME} ordinary characters"
    elif clean.endswith(")") and " (deleted, number " in clean:
        message = "a name must not look like that of a deleted dataset"
    else:
        return clean
    raise Invalid([Problem("name", message)])


def _alive() -> Select[Dataset]:
    return select(Dataset).where(Dataset.deleted_at.is_(None))


def _others(session: Session) -> str:
    names = [dataset.name for dataset in session.scalars(_alive().order_by(Dataset.name).limit(NAMED + 1))]
    if not names:
        return "none has been imported yet"
    return "there are: " + ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
