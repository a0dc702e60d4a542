"""A dataset as CSV: the columns that it came with, the answers as they are in this version; no cell is a formula."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.services.cells import csv_text
from app.services.pictures import as_cell
from app.services.runs.tables import Values
from app.store.models import Dataset, Example

PORTION = 1000


def export_csv(session: Session, dataset: Dataset) -> Iterator[str]:
    """The rows as CSV in portions: row, the input, the answer, and the other columns of the file."""
    about = dataset.report
    given, answer = about.get("input_column") or "input", about.get("answer_column") or "answer"
    others = [name for name in about.get("columns", []) if name not in (given, answer)]
    columns = (_free("row", about.get("columns", [])), given, answer, *others)
    return csv_text(columns, _rows(session, dataset.id, columns, about.get("images", {}).get("column")))


def _free(name: str, taken: list[str]) -> str:
    """The name, or one like it that the file does not use."""
    return name if name not in taken else _free(name + "_", taken)


def _rows(session: Session, dataset_id: int, columns: tuple[str, ...], shown: str | None) -> Iterator[Values]:
    """shown: the column of images, None without one.

    Each portion is a transaction of its own: a slow reader must not hold one open.
    """
    after, (number, given, answer, *others) = 0, columns
    while True:
        query = select(Example.row, Example.input, Example.reference, Example.extra, Example.image)
        query = query.where(Example.dataset_id == dataset_id, Example.row > after).order_by(Example.row)
        found = session.execute(query.limit(PORTION)).all()
        session.commit()
        for row, text, reference, extra, image in found:
            images = {shown: as_cell(image)} if shown else {}
            yield (
                {name: extra.get(name, "") for name in others} | images | {number: row, given: text, answer: reference}
            )
        if len(found) < PORTION:
            return
        after = found[-1].row
