"""A file is read twice: once to find every fault and count, and only then into the database, in one transaction.

So a bad file never opens a transaction, nothing half-imported is ever seen, and other writers wait for the second reading only.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import PurePath
from typing import BinaryIO, TypeAlias

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.config import Settings
from app.core import datasets as core
from app.core.pictures import Picture, picture_of
from app.core.pictures import marked as told_apart
from app.core.storable import storable
from app.ports.llm import Json
from app.services import pictures
from app.services.datasets.library import checked_name
from app.services.errors import Conflict, Invalid, Problem
from app.services.pictures import Loader, kind_of
from app.store.examples import add_examples
from app.store.models import Dataset

BATCH = 1000
"""Rows that are written, or counted for the progress, at once."""
SHOWN = 10
"""Rows that a preview shows."""

Shown: TypeAlias = Mapping[int, Json]
"""What is kept of each row's image (see app.core.pictures)."""
Progress = Callable[[int, int], None]
"""Called with the work done and the whole of it, in bytes of the file; an import reads it twice."""


@dataclass(frozen=True)
class Preview:
    """What a file would become.

    mapping: the chosen columns, or None, and then ``problem`` says what is missing. rows: the first ones as they would be
    stored. images: how many rows name one, by where it is (a data URL, a web address, a file). statistics (see
    app.core.datasets.statistics) and report cover the whole file; statistics is None without a mapping.
    """

    columns: tuple[str, ...]
    mapping: core.Mapping | None
    problem: Problem | None
    rows: tuple[Mapping[str, str], ...]
    statistics: Mapping[str, Json] | None
    report: Mapping[str, Json]
    images: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Columns:
    """Names of the columns to use, None for those with known names. image: "-" for no images."""

    input: str | None = None
    answer: str | None = None
    image: str | None = None

    def of(self, table: core.Table) -> core.Mapping:
        """The columns of a table. Raises: BadFile."""
        return core.map_columns(table.columns, self.input, self.answer, self.image)


FOUND = Columns()


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
    columns: Columns = FOUND,
    *,
    limits: core.Limits | None = None,
    progress: Progress | None = None,
) -> Preview:
    """Read the whole file and tell what it would become; nothing is stored, no image is loaded.

    Raises: Invalid for a file that is refused.
    """
    told = _Told(stream, progress, readings=1)
    try:
        table = core.read_table(stream, filename, limits=limits)
        rows = tuple({key: storable(cell) for key, cell in row.cells.items()} for row in islice(table.rows(), SHOWN))
        try:
            mapping = columns.of(table)
        except core.BadFile as error:
            return Preview(table.columns, None, Problem(error.field, str(error)), rows, None, table.report.as_json())
        named: Counter[str] = Counter()
        gathered = _gather(table, mapping, {}, told, named)
    except core.BadFile as error:
        raise _refusal(error) from None
    return Preview(table.columns, mapping, None, rows, gathered.statistics, gathered.report, named)


def import_file(
    session: Session,
    stream: BinaryIO,
    filename: str,
    columns: Columns = FOUND,
    *,
    name: str = "",
    limits: core.Limits | None = None,
    progress: Progress | None = None,
    images: Loader | None = None,
) -> Dataset:
    """Import a seekable stream as a new dataset and commit.

    name: "" for the file's own name. images: how they are loaded; None leaves a column of images what every other one is. A
    dataset of the same name and content is handed back instead of a second one.
    Raises: Invalid for a bad file, name or column; Conflict when other content has that name. Nothing is left behind but
    images that nothing uses, which a prune removes.
    """
    source = PurePath(filename.replace("\\", "/")).name
    name = checked_name(name or PurePath(source).stem)
    told = _Told(stream, progress)
    try:
        table = core.read_table(stream, source, limits=limits)
        mapping = columns.of(table) if images else replace(columns, image=core.NO_IMAGE).of(table)
        shown = _load(table, mapping, images) if images and mapping.image else {}
        gathered = _gather(table, mapping, shown, told)
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
    _store(session, dataset, table.items(mapping), shown, told.again())
    return dataset


def _load(table: core.Table, mapping: core.Mapping, loader: Loader) -> Shown:
    """The images of a table's rows, stored. Raises: BadFile when there are too many."""
    loading, most = loader.begin(), loader.limits.max_count
    for item in table.items(mapping):
        loading.take(item.row, item.image)
        if loading.rows > most:
            raise core.BadFile(f"more than {most:,} rows have an image (setting images.max_count)", line=item.line)
    return loading.finish()


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


def _gather(
    table: core.Table,
    mapping: core.Mapping,
    shown: Shown,
    tell: Callable[[], None],
    named: Counter[str] | None = None,
) -> _Gathered:
    """Count and mark the rows. named: where it is counted what the cells of images are, in place of loading any."""
    counted, marked = core.Statistics(), hashlib.sha256()
    for number, item in enumerate(table.items(mapping), 1):
        picture = picture_of(shown.get(item.row))
        if named is not None and item.image.strip():
            named[kind_of(item.image)] += 1
            picture = Picture(None, hashlib.sha256(item.image.encode("utf-8", "surrogatepass")).hexdigest())
        counted.add(item.row, item.input, item.reference, told_apart(item.input, picture))
        for text in (item.input, item.reference, *([picture.mark] if picture else [])):
            data = text.encode()
            marked.update(len(data).to_bytes(8, "big") + data)
        if number % BATCH == 0:
            tell()
    tell()
    about: dict[str, Json] = {
        "columns": list(table.columns),
        "input_column": mapping.input,
        "answer_column": mapping.answer,
    }
    statistics = counted.as_json()
    if shown and mapping.image:
        about["images"] = pictures.report(mapping.image, shown)
        statistics["images"] = pictures.figures(shown)
    return _Gathered(marked.hexdigest(), statistics, table.report.as_json() | about)


def _same(session: Session, name: str, digest: str) -> Dataset | None:
    found = session.scalars(select(Dataset).where(Dataset.name == name)).one_or_none()
    if found is not None and found.digest != digest:
        raise Conflict(f"there is a dataset called {name!r} with other content already; choose another name")
    return found


def _store(
    session: Session, dataset: Dataset, items: Iterator[core.Item], shown: Shown, tell: Callable[[], None]
) -> None:
    try:
        session.add(dataset)
        session.flush()
        while batch := [
            (one.row, one.input, one.reference, one.extra, shown.get(one.row)) for one in islice(items, BATCH)
        ]:
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
