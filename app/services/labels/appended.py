"""The next version of a dataset with one more example at its end, while the old one stays as it is."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.storable import storable
from app.ports.llm import Json
from app.services.errors import Invalid, Problem
from app.services.labels.difference import touched
from app.services.labels.rulings import rulings_of
from app.services.labels.versions import batches, free_name, lock, tallied
from app.store.examples import NewExample, add_examples
from app.store.models import Dataset, Example, Ruling

MOST_ROWS = 100_000
"""A version is a copy; of larger datasets one is not made for a single row."""


def append_example(session: Session, dataset: Dataset, *, text: str, answer: str) -> Dataset:
    """The new version; its rulings are those of the old one. Commits. Raises: Invalid for a dataset that is too large."""
    if dataset.rows >= MOST_ROWS:
        told = f"{dataset.name} has {dataset.rows:,} rows; add the example to its file, or name another dataset"
        raise Invalid([Problem("dataset", told)])
    session.commit()  # ends the reading: others may write until this transaction begins
    try:
        root = lock(session, dataset)
        made = _store(session, dataset, root, (storable(text), storable(answer)))
        session.commit()
    except BaseException:
        session.rollback()
        raise
    return made


def _store(session: Session, dataset: Dataset, root: Dataset, example: tuple[str, str]) -> Dataset:
    row = 1 + (session.scalar(select(func.max(Example.row)).where(Example.dataset_id == dataset.id)) or 0)
    version, name = free_name(session, dataset, root)
    last: NewExample = (row, *example, {}, None)
    digest, statistics = tallied(dataset, _rows(session, dataset, last))
    made = Dataset(
        name=name,
        digest=digest,
        source=dataset.source,
        rows=dataset.rows + 1,
        report=_report(dataset, row),
        statistics=statistics,
        root_id=dataset.root_id or dataset.id,
        parent_id=dataset.id,
        version=version,
    )
    session.add(made)
    session.flush()
    for batch in _rows(session, dataset, last):
        add_examples(session, made.id, batch)
    for number, one in rulings_of(session, dataset).items():
        session.add(Ruling(dataset_id=made.id, row=number, ruling=one.ruling, reference=one.reference, note=one.note))
    session.flush()
    return made


def _rows(session: Session, dataset: Dataset, last: NewExample) -> Iterator[list[NewExample]]:
    yield from batches(session, dataset, {})
    yield [last]


def _report(dataset: Dataset, row: int) -> Json:
    """How the file was read, and what was added since."""
    about = {"dataset": dataset.id, "name": dataset.name, "version": dataset.version, "added": [row]}
    rows: dict[str, list[int]] = {"corrected": [], "excluded": [], "touched": sorted(touched(dataset) | {row})}
    return dataset.report | {"made_from": about | rows}
