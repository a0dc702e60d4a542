"""What a run that is still under way has spent: a sum over all its calls, of which most are added up only once.

A reply never changes. So this process remembers what the replies up to some call add up to, and from then on reads only the
later calls and those that failed or are open, which indexes of their own hold. How many of these there were is remembered
too: when one of them has got its reply since, the number is another, and everything is added up again.
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from dataclasses import dataclass, fields

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.orm import Session

from app.ports.journal import Totals
from app.store.models import FAILED, OPEN, CallRow, narrowed
from app.store.statements import read_totals

SETTLING_S = 180.0
"""Calls that were sent longer ago than this have most likely come to their end."""
WORTH_KEEPING = 5_000
"""Calls that must have come to an end before they are added to what is remembered."""
REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class _Known:
    """replies: of the calls up to an id. unsure: how many of these calls had failed or were open."""

    upto: int
    unsure: int
    replies: Totals


_NOTHING = _Known(0, 0, Totals())
_known: OrderedDict[tuple[str, str], _Known] = OrderedDict()


def spent_so_far(session: Session, run_id: str) -> Totals:
    """The same as read_totals(), at the price of the newest calls."""
    connection, key = session.connection(), (str(session.get_bind().engine.url), run_id)
    known = _known.get(key, _NOTHING)
    if known.upto and _unsure(connection, run_id, known.upto) != known.unsure:
        known = _NOTHING
    total = _sum(known.replies, read_totals(connection, run_id, CallRow.id > known.upto))
    if known.unsure:
        for kind in _unsure_kinds():
            total = _sum(total, read_totals(connection, run_id, CallRow.id <= known.upto, *kind))
    if (newest := _settled_up_to(connection, run_id)) - known.upto >= WORTH_KEEPING:
        # Counted first: a reply that comes in between then makes the number differ, and is not overlooked.
        unsure = _unsure(connection, run_id, newest)
        between = (CallRow.id > known.upto, CallRow.id <= newest, CallRow.settled.is_(True), CallRow.error == "")
        replies = _sum(known.replies, read_totals(connection, run_id, *between))
        _remember(key, _Known(newest, unsure, replies))
    return total


def _unsure_kinds() -> tuple[tuple[ColumnElement[bool], ...], ...]:
    return (narrowed(FAILED), CallRow.settled.is_(True)), (narrowed(OPEN),)


def _unsure(connection: Connection, run_id: str, upto: int) -> int:
    counts = [
        select(func.count()).where(CallRow.run_id == run_id, CallRow.id <= upto, *kind) for kind in _unsure_kinds()
    ]
    return sum(connection.execute(count).scalar_one() for count in counts)


def _settled_up_to(connection: Connection, run_id: str) -> int:
    """Id of the newest call that was sent long enough ago; 0 when there is none."""
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=SETTLING_S)
    query = select(CallRow.id).where(CallRow.run_id == run_id, CallRow.sent_at < long_ago)
    return connection.execute(query.order_by(CallRow.id.desc()).limit(1)).scalar() or 0


def _remember(key: tuple[str, str], known: _Known) -> None:
    _known[key] = known
    if len(_known) > REMEMBERED:
        _known.popitem(last=False)


def _sum(a: Totals, b: Totals) -> Totals:
    return Totals(**{field.name: getattr(a, field.name) + getattr(b, field.name) for field in fields(Totals)})
