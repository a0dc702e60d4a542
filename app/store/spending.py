"""The bill: what calls cost, by day, role and model. A run's part is written down each time that a worker ends its work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, insert, select, update

from app.ports.journal import Totals
from app.store.models import CallRow, Run, SpendingRow
from app.store.statements import read_totals, spending_columns, totals_of
from app.store.types import utc_day


@dataclass(frozen=True, slots=True)
class Spent:
    """What one run spent on one day (UTC), for one role, on one model."""

    run_id: str
    day: str
    role: str
    model: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class Sent:
    """How a run's calls went to one model in one lane (what shares a rate limit).

    sendings: replies from the cache not counted. first, last: when the first and the last call were sent. throttled: calls that
    waited for our own rate limit, throttled_s seconds together. limited: sendings that the provider refused for its rate limit.
    """

    lane: str
    model: str
    sendings: int
    first: dt.datetime
    last: dt.datetime
    throttled: int
    throttled_s: float
    limited: int


def of_run(connection: Connection, run_id: str) -> list[Spent]:
    """A run's bill as its calls tell it now."""
    day = utc_day(CallRow.sent_at)
    parts = (day, CallRow.role, CallRow.model)
    query = select(*parts, *spending_columns()).where(CallRow.run_id == run_id).group_by(*parts).order_by(*parts)
    return [Spent(run_id, row[0], row[1], row[2], totals_of(row[3:])) for row in connection.execute(query)]


def written(connection: Connection, run_id: str) -> list[Spent]:
    """A run's bill as it was last written down."""
    query = select(SpendingRow).where(SpendingRow.run_id == run_id)
    rows = connection.execute(query.order_by(SpendingRow.day, SpendingRow.role, SpendingRow.model))
    return [_spent(row) for row in rows]


def sent(connection: Connection, run_id: str) -> list[Sent]:
    """How fast a run's calls were sent, by lane and model."""
    waited = func.sum(case((CallRow.throttled_s > 0, 1), else_=0))
    sums = (waited, func.sum(CallRow.throttled_s), func.sum(CallRow.limited))
    query = (
        select(
            CallRow.lane,
            CallRow.model,
            # The last try of a call that the run's halt overtook was never sent.
            func.sum(case((CallRow.error == "unsent", CallRow.attempts - 1), else_=CallRow.attempts)),
            func.min(CallRow.sent_at),
            func.max(CallRow.sent_at),
            *sums,
        )
        .where(CallRow.run_id == run_id, ~CallRow.cached)
        .group_by(CallRow.lane, CallRow.model)
        .order_by(CallRow.lane, CallRow.model)
    )
    return [Sent(*row) for row in connection.execute(query)]


def total(parts: Iterable[Totals]) -> Totals:
    """The sum of totals, field by field."""
    parts = list(parts)
    return Totals(**{field.name: sum(getattr(part, field.name) for part in parts) for field in fields(Totals)})


def record(connection: Connection, run_id: str) -> None:
    """Write a run's bill down in place of what was written before. Does not commit."""
    connection.execute(delete(SpendingRow).where(SpendingRow.run_id == run_id))
    rows = [
        {"run_id": s.run_id, "day": s.day, "role": s.role, "model": s.model, "totals": asdict(s.totals)}
        for s in of_run(connection, run_id)
    ]
    if rows:
        connection.execute(insert(SpendingRow), rows)


def settle(connection: Connection, run_id: str) -> None:
    """Write down what a run has spent if its worker never came back to do so. Does not commit."""
    if connection.scalar(select(Run.spent).where(Run.id == run_id)) is None:
        record(connection, run_id)
        spent = asdict(read_totals(connection, run_id))
        connection.execute(update(Run).where(Run.id == run_id).values(spent=spent))


def forget_imported(connection: Connection, run_id: str) -> None:
    """Remove the bill of an imported run, whose money was spent elsewhere; that of another run stays. Does not commit."""
    imported = select(Run.id).where(Run.id == run_id, Run.imported_at.is_not(None))
    connection.execute(delete(SpendingRow).where(SpendingRow.run_id.in_(imported)))


def since(connection: Connection, day: str) -> Iterator[Spent]:
    """Everything spent here on and after a day: what is written down, and what runs that are not over have spent so far."""
    growing = set(connection.scalars(select(Run.id).where(Run.status.in_(("queued", "running")))))
    elsewhere = select(Run.id).where(Run.imported_at.is_not(None))
    query = select(SpendingRow).where(SpendingRow.day >= day, SpendingRow.run_id.not_in(elsewhere))
    query = query.order_by(SpendingRow.day, SpendingRow.id)
    for row in connection.execute(query):
        if row.run_id not in growing:
            yield _spent(row)
    for run_id in sorted(growing):
        yield from (spent for spent in of_run(connection, run_id) if spent.day >= day)


def _spent(row: Row[Any]) -> Spent:
    return Spent(row.run_id, row.day, row.role, row.model, Totals(**row.totals))
