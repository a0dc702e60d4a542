"""What is to go goes in portions, each a short transaction of its own: other writers hardly wait, and whoever is cut off
between two of them, or does the same beside somebody else, leaves only less to do.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import JSON, ColumnElement, Connection, Engine, String, Table, Text, delete, func, select, update
from sqlalchemy import cast as sql_cast
from sqlalchemy.types import TypeDecorator

from app.store import spending
from app.store.judged import MarkRow, RankingRow
from app.store.models import CallRow, Event, PromptVersion, Run, SampleRow, ShardRow, StepRow
from app.store.types import utc_now

PORTION = 1_000
"""Rows of a portion: some tens of milliseconds."""
ENDED = ("done", "cancelled", "failed")
RECORDS = tuple(
    cast(Table, model.__table__) for model in (CallRow, SampleRow, Event, ShardRow, StepRow, RankingRow, MarkRow)
)
"""What belongs to a run and goes with it."""


@dataclass(frozen=True, slots=True)
class Gone:
    """Rows of a table that went, or would go. bytes: about how much text was in them."""

    table: str
    rows: int
    bytes: int


def in_portions(engine: Engine, table: Table, *where: ColumnElement[bool], portion: int = PORTION) -> Iterator[Gone]:
    """Remove the rows that fit, so many at once; after each portion as long a rest as it took."""
    while True:
        began = time.monotonic()
        with engine.begin() as connection:
            first = select(table.c.id).where(*where).order_by(table.c.id).limit(portion).subquery()
            last = connection.scalar(select(func.max(first.c.id)))
            if last is None:
                return
            here = (*where, table.c.id <= last)
            size = connection.scalar(select(_bytes(table)).where(*here)) or 0
            rows = connection.execute(delete(table).where(*here)).rowcount
        yield Gone(table.name, rows, int(size))
        time.sleep(time.monotonic() - began)


def measured(connection: Connection, table: Table, *where: ColumnElement[bool]) -> Gone:
    """What in_portions() would remove."""
    rows, size = connection.execute(select(func.count(), _bytes(table)).where(*where)).one()
    return Gone(table.name, rows, int(size or 0))


def _bytes(table: Table) -> ColumnElement[Any]:
    texts = [column for column in table.c if _is_text(column.type)]
    sizes = [func.coalesce(func.length(sql_cast(column, Text)), 0) for column in texts]
    return func.sum(sum(sizes[1:], sizes[0]))


def _is_text(kind: object) -> bool:
    return isinstance(kind.impl_instance if isinstance(kind, TypeDecorator) else kind, String | JSON)


def hide_run(connection: Connection, run_id: str, *only: ColumnElement[bool]) -> bool:
    """Let a run be seen by nobody any more, workers included; False when it does not fit. Does not commit.

    Versions that it gave to the library stay there.
    """
    gone = {"deleted_at": utc_now(), "fence": Run.fence + 1, "lease_owner": "", "lease_until": 0.0, "wish": ""}
    hide = update(Run).where(Run.id == run_id, Run.deleted_at.is_(None), *only)
    if connection.execute(hide.values(gone | {"status": "cancelled"})).rowcount != 1:
        return False
    spending.settle(connection, run_id)
    spending.forget_imported(connection, run_id)
    connection.execute(update(PromptVersion).where(PromptVersion.run_id == run_id).values(run_id=None))
    return True


def remove_hidden(engine: Engine, run_id: str, *, portion: int = PORTION) -> Iterator[Gone]:
    """Remove a hidden run with everything that it recorded, itself last."""
    for table in RECORDS:
        yield from in_portions(engine, table, table.c.run_id == run_id, portion=portion)
    with engine.begin() as connection:
        rows = connection.execute(delete(Run).where(Run.id == run_id, Run.deleted_at.is_not(None))).rowcount
    yield Gone("runs", rows, 0)


def hidden_runs(engine: Engine) -> list[str]:
    """Runs whose removal has begun."""
    with engine.connect() as connection:
        return list(connection.scalars(select(Run.id).where(Run.deleted_at.is_not(None)).order_by(Run.deleted_at)))


def clear_up(engine: Engine, within_s: float) -> None:
    """Go on with the removal of hidden runs for about so many seconds."""
    until = time.monotonic() + within_s
    for run_id in hidden_runs(engine):
        for _ in remove_hidden(engine, run_id):
            if time.monotonic() > until:
                return


def mark_calls_pruned(connection: Connection, run_id: str, *only: ColumnElement[bool]) -> bool:
    """Say on a run that its calls go, with what they add up to written down first; False when it does not fit.

    Does not commit.
    """
    mark = update(Run).where(Run.id == run_id, Run.deleted_at.is_(None), Run.status.in_(ENDED), *only)
    marked = mark.values(calls_pruned_at=func.coalesce(Run.calls_pruned_at, utc_now())).returning(Run.id)
    if connection.execute(marked).first() is None:
        return False
    spending.settle(connection, run_id)
    return True


def disk_bytes(engine: Engine) -> int:
    """Size of the database."""
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            return int(connection.scalar(select(func.pg_database_size(func.current_database()))) or 0)
        pages, size = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "page_size")
        )
        return int(pages * size)


def give_back(engine: Engine) -> None:
    """Let the database give the room of removed rows back to the disk.

    SQLite writes its file anew: writers wait meanwhile, and as much room again is needed. PostgreSQL works beside its writers
    and gives back what lies at the end of its files.
    """
    connection = engine.raw_connection()
    try:
        driver: Any = connection.driver_connection
        if engine.dialect.name == "sqlite":
            driver.execute("VACUUM")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            driver.autocommit = True
            driver.execute("VACUUM (ANALYZE)")
    finally:
        connection.invalidate()
        connection.close()
