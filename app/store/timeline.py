"""What a run's calls cost as time went by: their replies added up in spans of equal length."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, select

from app.store.models import CallRow
from app.store.statements import spending_columns, totals_of
from app.store.types import epoch_second


@dataclass(frozen=True, slots=True)
class Slice:
    """What came back in the span number ``at``, counted from 0, for one role. usd: of the replies whose price is known."""

    at: int
    role: str
    calls: int
    tokens: int
    usd: float
    unpriced: int


def ends(connection: Connection, run_id: str) -> tuple[dt.datetime, dt.datetime] | None:
    """When the first call on record was sent, and when the last one came back or was sent; None when none is on record."""
    query = select(CallRow.sent_at, CallRow.settled_at).where(CallRow.run_id == run_id).limit(1)
    first = connection.execute(query.order_by(CallRow.id)).one_or_none()
    last = connection.execute(query.order_by(CallRow.id.desc())).one_or_none()
    return (first.sent_at, last.settled_at or last.sent_at) if first and last else None


def slices(connection: Connection, run_id: str, start: dt.datetime, width_s: int) -> list[Slice]:
    """Every reply that was bought, by the span in which it came; spans without one are not there."""
    at = (epoch_second(CallRow.settled_at) - int(start.timestamp())) // width_s
    query = (
        select(at, CallRow.role, *spending_columns())
        .where(CallRow.run_id == run_id, CallRow.settled.is_(True), CallRow.settled_at.is_not(None))
        .group_by(at, CallRow.role)
        .order_by(at, CallRow.role)
    )
    found = ((max(0, int(row[0])), row[1], totals_of(row[2:])) for row in connection.execute(query))
    return [
        Slice(at, role, sums.calls, sums.prompt_tokens + sums.completion_tokens, sums.cost_usd, sums.unpriced_calls)
        for at, role, sums in found
    ]
