"""The images of a dataset's rows, as runs and pages read them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.pictures import Picture, Triple, picture_of, with_marks
from app.store.models import Dataset, Example


def has_images(dataset: Dataset) -> bool:
    """Whether any of its rows names one."""
    return bool(dataset.statistics.get("images"))


def pictures_of(session: Session, dataset_id: int) -> dict[int, Picture]:
    """By row, of the rows that have one."""
    dataset = session.get(Dataset, dataset_id)
    if dataset is None or not has_images(dataset):
        return {}  # spares the look at every row
    query = select(Example.row, Example.image).where(Example.dataset_id == dataset_id, Example.image.is_not(None))
    return {row: picture for row, stored in session.execute(query) if (picture := picture_of(stored))}


def marked_rows(session: Session, dataset_id: int) -> list[Triple]:
    """(row, input, reference) of every row in order, as duplicates and splits tell them apart."""
    query = select(Example.row, Example.input, Example.reference).where(Example.dataset_id == dataset_id)
    rows = ((row, text, reference) for row, text, reference in session.execute(query.order_by(Example.row)))
    return list(with_marks(rows, pictures_of(session, dataset_id)))
