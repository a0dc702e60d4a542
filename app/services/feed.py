"""A run's events as a reader follows them: the newest ones first seen, then whatever came after the last one seen."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.store.models import Event


def newest(session: Session, run_id: str) -> int:
    """Id of the run's newest event, 0 when it has none."""
    return session.scalar(select(func.max(Event.id)).where(Event.run_id == run_id)) or 0


def since(session: Session, run_id: str, after: int, *, names: Collection[str] = (), limit: int = 200) -> list[Event]:
    """Events after an id, in their order; only those of the names when any are given."""
    query = select(Event).where(Event.run_id == run_id, Event.id > after)
    if names:
        query = query.where(Event.name.in_(names))
    return list(session.scalars(query.order_by(Event.id).limit(limit)))


def tail(session: Session, run_id: str, before: int, *, names: Collection[str] = (), limit: int = 200) -> list[Event]:
    """The last events with ids up to ``before``, in their order; only those of the names when any are given."""
    query = select(Event).where(Event.run_id == run_id, Event.id <= before)
    if names:
        query = query.where(Event.name.in_(names))
    found = list(session.scalars(query.order_by(Event.id.desc()).limit(limit)))
    return found[::-1]


def newest_of_all(session: Session) -> int:
    """Id of the newest event of any run, 0 when there is none."""
    return session.scalar(select(func.max(Event.id))) or 0


def of_all(session: Session, after: int, limit: int = 2000) -> list[tuple[int, str, str]]:
    """Id, run and name of the events of all runs after an id, in their order."""
    query = select(Event.id, Event.run_id, Event.name).where(Event.id > after).order_by(Event.id).limit(limit)
    return [(number, run_id, name) for number, run_id, name in session.execute(query)]
