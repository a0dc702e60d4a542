"""What of a run's rows travels from one installation to another: everything but ids, and what other runs find replies by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from app.ports.llm import Json
from app.store.judged import MarkRow, RankingRow
from app.store.models import Base, CallRow, Event, Look, Run, SampleRow, SpendingRow

Row: TypeAlias = dict[str, Json]

FORMAT = "whetstone-run/1"
"""What the manifest of a record calls its layout."""

_HOME = frozenset({"id", "run_id", "dataset_id", "cache_key"})
"""Columns that mean something only where the row was made: a reply that came from elsewhere is not shared with runs here."""


def table(model: type[Base]) -> Table:
    """The model's table."""
    return cast(Table, model.__table__)


TABLES: Mapping[str, type[Base]] = {
    "samples.jsonl": SampleRow,
    "calls.jsonl": CallRow,
    "events.jsonl": Event,
    "spending.jsonl": SpendingRow,
    "looks.jsonl": Look,
    "rankings.jsonl": RankingRow,
    "marks.jsonl": MarkRow,
}
"""The files of a record that hold rows, a JSON object a line, in the order in which they were made."""
RUN_COLUMNS = (
    "kind", "name", "status", "reason", "spec", "simulated", "cloned_from", "outcome", "spent",
    "created_at", "started_at", "ended_at", "calls_pruned_at",
)  # fmt: skip
"""What of the run itself travels, beside its id."""


def columns(model: type[Base]) -> tuple[str, ...]:
    """The columns that travel, in their order."""
    return tuple(column.name for column in table(model).columns if column.name not in _HOME)


def rows_of(session: Session, model: type[Base], run_id: str, portion: int) -> Iterator[list[Row]]:
    """A run's rows in portions, each read in a transaction of its own."""
    source, names, after = table(model), columns(model), 0
    while True:
        query = select(source.c.id, *(source.c[name] for name in names))
        query = query.where(source.c.run_id == run_id, source.c.id > after).order_by(source.c.id).limit(portion)
        found = session.execute(query).all()
        session.commit()
        if not found:
            return
        after = found[-1].id
        yield [{name: as_json(getattr(row, name)) for name in names} for row in found]


def as_json(value: Any) -> Json:
    """A value of a column as JSON has it; moments as ISO 8601 in UTC."""
    return value.isoformat() if isinstance(value, dt.datetime) else value


def add_rows(session: Session, model: type[Base], run_id: str, rows: Sequence[Row], **more: Any) -> None:
    """Insert rows that were read elsewhere, moments as such. more: columns of home that the table wants beside the run's id."""
    if rows:
        session.execute(insert(model), [{**row, **more, "run_id": run_id} for row in rows])


def run_row(run: Run) -> Row:
    """The run itself as it travels."""
    return {name: as_json(getattr(run, name)) for name in RUN_COLUMNS}
