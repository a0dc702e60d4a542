"""A file is read twice: once to find every fault and count, and only then into the database, in one transaction.

So a bad file never opens a transaction, nothing half-imported is ever seen, and other writers wait for the second reading only.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.config import Settings
from app.core import datasets as core
from app.core.storable import storable
from app.ports.llm import Json
from app.services.datasets.library import checked_name
from app.services.errors import Conflict, Invalid, Problem
from app.store.examples import add_examples
from app.store.models import Dataset

BATCH = 1000
"""Rows that are written, or counted for the progress, at once."""
SHOWN = 10
"""Rows that a preview shows."""

Progress = Callable[[int, int], None]
"""Called with the work done and the whole of it, in bytes of the file; an import reads it twice."""


@dataclass(frozen=True)
class Preview:
    """What a file would become.

    mapping: the chosen columns, or None, and then ``problem`` says what is missing. rows: the first ones as they would be
    stored. statistics (see app.core.datasets.statistics) and report cover the whole file; statistics is None without a mapping.
    """

    columns: tuple[str, ...]
    mapping: core.Mapping | None
    problem: Problem | None
    rows: tuple[Mapping[str, str], ...]
    statistics: Mapping[str, Json] | None
    report: Mapping[str, Json]


@dataclass(frozen=True)
class _Gathered:
    digest: str
    statistics: dict[str, Json]
    report: dict[str, Json]


def limits_of(settings: Settings) -> core.Limits:
    """The operator's limits for files."""
    most = settings.uploads
    return core.Limits(most.max_mb * 2**20, most.max_rows, most.max_columns, most.max_cell_chars)


def preview(
    stream: BinaryIO,
    filename: str,
    *,
    input_column: str | None = None,
    answer_column: str | None = None,
    limits: core.Limits | None = None,
    progress: Progress | None = None,
) -> Preview:
    """Read the whole file and tell what it would become; nothing is stored. Raises: Invalid for a file that is refused."""
    told = _Told(stream, progress, readings=1)
    try:
        table = core.read_table(stream, filename, limits=limits)
        rows = tuple({key: storable(cell) for key, cell in row.cells.items()} for row in islice(table.rows(), SHOWN))
        try:
            mapping = core.map_columns(table.columns, input_column, answer_column)
        except core.BadFile as error:
            return Preview(table.columns, None, Problem(error.field, str(error)), rows, None, table.report.as_json())
        gathered = _gather(table, mapping, told)
    except core.BadFile as error:
        raise _refusal(error) from None
    return Preview(table.columns, mapping, None, rows, gathered.statistics, gathered.report)


def import_file(
    session: Session,
    stream: BinaryIO,
    filename: str,
    *,
    name: str = "",
    input_column: str | None = None,
    answer_column: str | None = None,
    limits: core.Limits | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Import a seekable stream as a new dataset and commit.

    name: "" for the file's own name. A dataset of the same name and content is handed back instead of a second one.
    Raises: Invalid for a bad file, name or column; Conflict when other content has that name. Nothing is left behind.
    """
    source = PurePath(filename.replace("\\", "/")).name
    name = checked_name(name or PurePath(source).stem)
    told = _Told(stream, progress)
    try:
        table = core.read_table(stream, source, limits=limits)
        mapping = core.map_columns(table.columns, input_column, answer_column)
        gathered = _gather(table, mapping, told)
    except core.BadFile as error:
        raise _refusal(error) from None
    if same := _same(session, name, gathered.digest):
        return same
    dataset = Dataset(
        name=name,
        digest=gathered.digest,
        source=source,
        rows=gathered.statistics["rows"],
        statistics=gathered.statistics,
        report=gathered.report,
    )
    _store(session, dataset, table.items(mapping), told.again())
    return dataset


class _Told:
    """Tells the progress of one or two readings of one stream; called every BATCH rows."""

    def __init__(self, stream: BinaryIO, progress: Progress | None, before: int = 0, readings: int = 2) -> None:
        self._stream, self._progress, self._before, self._readings = stream, progress, before, readings
        self._size = stream.seek(0, os.SEEK_END) if progress else 0

    def __call__(self) -> None:
        if self._progress:
            self._progress(self._before + self._stream.tell(), self._readings * self._size)

    def again(self) -> _Told:
        """For the second reading."""
        return _Told(self._stream, self._progress, self._size, self._readings)


def _gather(table: core.Table, mapping: core.Mapping, tell: Callable[[], None]) -> _Gathered:
    counted, marked = core.Statistics(), hashlib.sha256()
    for number, item in enumerate(table.items(mapping), 1):
        counted.add(item.row, item.input, item.reference)
        for text in (item.input, item.reference):
            data = text.encode()
            marked.update(len(data).to_bytes(8, "big") + data)
        if number % BATCH == 0:
            tell()
    tell()
    about = {"columns": list(table.columns), "input_column": mapping.input, "answer_column": mapping.answer}
    return _Gathered(marked.hexdigest(), counted.as_json(), table.report.as_json() | about)


def _same(session: Session, name: str, digest: str) -> Dataset | None:
    found = session.scalars(select(Dataset).where(Dataset.name == name)).one_or_none()
    if found is not None and found.digest != digest:
        raise Conflict(f"there is a dataset called {name!r} with other content already; choose another name")
    return found


def _store(session: Session, dataset: Dataset, items: Iterator[core.Item], tell: Callable[[], None]) -> None:
    try:
        session.add(dataset)
        session.flush()
        while batch := [(one.row, one.input, one.reference, one.extra) for one in islice(items, BATCH)]:
            add_examples(session, dataset.id, batch)
            tell()
        session.commit()
    except IntegrityError:
        session.rollback()
        raise Conflict(f"a dataset called {dataset.name!r} was imported at the same moment") from None
    except BaseException:
        session.rollback()
        raise


def _refusal(error: core.BadFile) -> Invalid:
    return Invalid([Problem(error.field, str(error))])
