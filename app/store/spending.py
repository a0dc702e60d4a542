"""The bill: what calls cost, by day, role and model. A run's part is written down each time that a worker ends its work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, insert, select

from app.ports.journal import Totals
from app.store.models import CallRow, Run, SpendingRow
from app.store.statements import spending_columns, totals_of
from app.store.types import utc_day


@dataclass(frozen=True, slots=True)
class Spent:
    """What one run spent on one day (UTC), for one role, on one model."""

    run_id: str
    day: str
    role: str
    model: str
    totals: Totals


def of_run(connection: Connection, run_id: str) -> list[Spent]:
    """A run's bill as its calls tell it now."""
    day = utc_day(CallRow.sent_at)
    parts = (day, CallRow.role, CallRow.model)
    query = select(*parts, *spending_columns()).where(CallRow.run_id == run_id).group_by(*parts).order_by(*parts)
    return [Spent(run_id, row[0], row[1], row[2], totals_of(row[3:])) for row in connection.execute(query)]


def record(connection: Connection, run_id: str) -> None:
    """Write a run's bill down in place of what was written before. Does not commit."""
    connection.execute(delete(SpendingRow).where(SpendingRow.run_id == run_id))
    rows = [
        {"run_id": s.run_id, "day": s.day, "role": s.role, "model": s.model, "totals": asdict(s.totals)}
        for s in of_run(connection, run_id)
    ]
    if rows:
        connection.execute(insert(SpendingRow), rows)


def since(connection: Connection, day: str) -> Iterator[Spent]:
    """Everything spent on and after a day: what is written down, and what runs under way have spent so far."""
    running = set(connection.scalars(select(Run.id).where(Run.status == "running")))
    query = select(SpendingRow).where(SpendingRow.day >= day).order_by(SpendingRow.day, SpendingRow.id)
    for row in connection.execute(query):
        if row.run_id not in running:
            yield Spent(row.run_id, row.day, row.role, row.model, Totals(**row.totals))
    for run_id in sorted(running):
        yield from (spent for spent in of_run(connection, run_id) if spent.day >= day)
