"""What is kept for how long: pruning removes the records of runs that ended long enough ago, and datasets that nothing uses.

Nothing that is queued, running or paused is touched, and no prompt version. It may be cut off at any time, and run twice at
once.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, func, select

from app.config import Retention
from app.store import removal
from app.store.database import Database
from app.store.images import ImageFiles
from app.store.models import CallRow, Dataset, Event, Example, Run

UNUSED_DATASET = dt.timedelta(days=1)
"""A deleted dataset is left alone for so long, since a run may just be starting from a form that names it."""
_CALLS, _EVENTS, _EXAMPLES = (cast(Table, model.__table__) for model in (CallRow, Event, Example))
_TOLD = and_(_EVENTS.c.note.is_(None), _EVENTS.c.name.not_in(("status", "progress")))
"""Status and last progress tell how long workers were on a run that may be resumed."""


@dataclass
class Pruned:
    """What went, or would go. rows: by table; images: files of images; runs: ids whose calls or all went.

    bytes: about how much text was in the rows, and the size of the files.
    """

    dry_run: bool
    rows: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    runs_removed: list[str] = field(default_factory=list)
    runs_without_calls: list[str] = field(default_factory=list)
    images: int = 0
    datasets_removed: list[str] = field(default_factory=list)

    def add(self, gone: removal.Gone) -> None:
        """Count a portion."""
        self.rows[gone.table] += gone.rows
        self.bytes += gone.bytes

    def as_json(self) -> dict[str, Any]:
        """The fields by name."""
        return vars(self) | {"rows": {table: rows for table, rows in sorted(self.rows.items()) if rows}}


def prune(
    database: Database,
    keep: Retention,
    *,
    dry_run: bool = False,
    tell: Callable[[Pruned], None] | None = None,
    portion: int = removal.PORTION,
    images: ImageFiles | None = None,
) -> Pruned:
    """Remove what need not be kept.

    dry_run: only say what would go. tell: called after each portion. portion: rows that are removed at once. images: where
    the files of images are, of which those go that no example has any more; None leaves them alone.
    """
    work = _Pruning(database, Pruned(dry_run), tell or (lambda _: None), portion)
    for run_id in removal.hidden_runs(database.engine):
        work.run(run_id)
    for days, each in ((keep.runs_days, work.old_run), (keep.calls_days, work.calls), (keep.events_days, work.events)):
        if days is not None:
            kept_since = func.coalesce(Run.imported_at, Run.ended_at)
            old = (Run.status.in_(removal.ENDED), kept_since < dt.datetime.now(dt.UTC) - dt.timedelta(days=days))
            for run_id in work.runs(*old):
                each(run_id, *old)
    work.datasets()
    if images:
        work.images(images)
    return work.pruned


class _Pruning:
    """One prune as it goes."""

    def __init__(self, database: Database, pruned: Pruned, tell: Callable[[Pruned], None], portion: int) -> None:
        self._engine = database.engine
        self.pruned = pruned
        self._tell = tell
        self._portion = portion
        self._going: set[str] = set()
        """Runs that a dry run has counted as removed already."""

    def runs(self, *where: ColumnElement[bool]) -> list[str]:
        """Runs that fit, the oldest first."""
        query = select(Run.id).where(Run.deleted_at.is_(None), *where).order_by(Run.ended_at, Run.id)
        with self._engine.connect() as connection:
            return [run_id for run_id in connection.scalars(query) if run_id not in self._going]

    def old_run(self, run_id: str, *only: ColumnElement[bool]) -> None:
        """A whole run."""
        if self._begun(lambda connection: removal.hide_run(connection, run_id, *only)):
            self.run(run_id)

    def run(self, run_id: str) -> None:
        """The records of a hidden run and the run."""
        self._going.add(run_id)
        self.pruned.runs_removed.append(run_id)
        if self.pruned.dry_run:
            for table in removal.RECORDS:
                self._take(table, table.c.run_id == run_id)
            self._count(removal.Gone("runs", 1, 0))
        else:
            for gone in removal.remove_hidden(self._engine, run_id, portion=self._portion):
                self._count(gone)

    def calls(self, run_id: str, *only: ColumnElement[bool]) -> None:
        """Every call of a run; its totals and its bill are on record elsewhere."""
        mine = _CALLS.c.run_id == run_id
        if not self._any(_CALLS, mine):
            return
        if self._begun(lambda connection: removal.mark_calls_pruned(connection, run_id, *only)):
            self.pruned.runs_without_calls.append(run_id)
            self._take(_CALLS, mine)

    def events(self, run_id: str, *_only: ColumnElement[bool]) -> None:
        """The waits that were told to those who watched a run; its history stays."""
        told = (_EVENTS.c.run_id == run_id, _TOLD)
        if self._any(_EVENTS, *told):
            self._take(_EVENTS, *told)

    def datasets(self) -> None:
        """Deleted datasets of which no run needs the examples."""
        unused = (
            Dataset.deleted_at < dt.datetime.now(dt.UTC) - UNUSED_DATASET,
            ~exists().where(Run.dataset_id == Dataset.id),
        )
        with self._engine.connect() as connection:
            found = connection.execute(select(Dataset.id, Dataset.name).where(*unused).order_by(Dataset.id)).all()
        for dataset_id, name in found:
            self.pruned.datasets_removed.append(name)
            self._take(_EXAMPLES, _EXAMPLES.c.dataset_id == dataset_id)
            if not self.pruned.dry_run:
                with self._engine.begin() as connection:
                    connection.execute(delete(Dataset).where(Dataset.id == dataset_id, *unused))
            self._count(removal.Gone("datasets", 1, 0))

    def images(self, files: ImageFiles) -> None:
        """Files of images that no example has."""
        query = select(Example.image).where(Example.image.is_not(None))
        with self._engine.connect() as connection:
            in_use = {str(image.get("digest")) for image in connection.scalars(query.execution_options(yield_per=1000))}
        for path in files.unused(in_use):
            self.pruned.images += 1
            self.pruned.bytes += path.stat().st_size
            if not self.pruned.dry_run:
                path.unlink(missing_ok=True)

    def _begun(self, begin: Callable[[Connection], bool]) -> bool:
        """Whether the run is still as it was when it was chosen, and now marked; nothing is marked in a dry run."""
        if self.pruned.dry_run:
            return True
        with self._engine.begin() as connection:
            return begin(connection)

    def _any(self, table: Table, *where: ColumnElement[bool]) -> bool:
        with self._engine.connect() as connection:
            return connection.execute(select(table.c.id).where(*where).limit(1)).first() is not None

    def _take(self, table: Table, *where: ColumnElement[bool]) -> None:
        for gone in self._portions(table, *where):
            self._count(gone)

    def _portions(self, table: Table, *where: ColumnElement[bool]) -> Iterator[removal.Gone]:
        if not self.pruned.dry_run:
            yield from removal.in_portions(self._engine, table, *where, portion=self._portion)
            return
        with self._engine.connect() as connection:
            yield removal.measured(connection, table, *where)

    def _count(self, gone: removal.Gone) -> None:
        self.pruned.add(gone)
        self._tell(self.pruned)
