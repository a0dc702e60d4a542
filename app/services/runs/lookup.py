"""Runs by id and in lists, the newest first; pages go on after the last run shown, however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, get_args

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from app.core.storable import storable
from app.services.errors import Conflict, Invalid, NotFound, Problem
from app.store import removal
from app.store.claims import is_attended
from app.store.models import Dataset, Run

NAME_CHARS = 200
Order = Literal["newest", "oldest", "name"]
ORDERS: tuple[Order, ...] = get_args(Order)
AT_ONCE_S = 1.0
"""Longest time that a request spends on removing a run's records."""


def list_runs(
    session: Session,
    *,
    kind: str = "",
    status: str = "",
    search: str = "",
    order: Order = "newest",
    after: str = "",
    limit: int = 50,
) -> list[Run]:
    """Runs in an order, the newest first unless another one is asked for.

    kind, status: exact, "" for all. search: part of the name, the id or the dataset's name. after: id of the last run of the
    page before. Raises: NotFound when that run is gone.
    """
    by = Run.name if order == "name" else Run.created_at
    places = (by.desc(), Run.id.desc()) if order == "newest" else (by, Run.id)
    query = select(Run).options(selectinload(Run.prompt)).where(Run.deleted_at.is_(None)).order_by(*places).limit(limit)
    if kind:
        query = query.where(Run.kind == kind)
    if status:
        query = query.where(Run.status == status)
    if search:
        columns = (Run.name, Run.id, Dataset.name)
        query = query.outerjoin(Run.dataset).where(or_(*(each.icontains(search, autoescape=True) for each in columns)))
    if after:
        last = get(session, after)
        there = last.name if order == "name" else last.created_at
        beyond, further = (by < there, Run.id < last.id) if order == "newest" else (by > there, Run.id > last.id)
        query = query.where(or_(beyond, and_(by == there, further)))
    return list(session.scalars(query))


def add_once(session: Session, run: Run, once: str) -> Run:
    """Store a new run and commit. once: the id that its form was given; the same form sent twice at once gives one run."""
    session.add(run)
    try:
        session.commit()
    except IntegrityError:  # the same form came in twice at the same moment
        session.rollback()
        if twin := session.get(Run, once) if once else None:
            return twin
        raise
    return run


def get(session: Session, run_id: str) -> Run:
    """The run as the database has it now. Raises: NotFound."""
    return _read(session, select(Run), run_id)


def _read(session: Session, query: Select[Run], run_id: str) -> Run:
    query = query.where(Run.id == storable(run_id), Run.deleted_at.is_(None)).options(selectinload(Run.prompt))
    run = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if run is None:
        raise NotFound(f"There is no run {run_id[:40]}.")
    return run


@contextmanager
def locked(session: Session, run_id: str) -> Iterator[Run]:
    """The run, which nobody else changes meanwhile. Commits at the end; an error undoes everything. Raises: NotFound."""
    try:
        yield _read(session, select(Run).with_for_update(), run_id)
        session.commit()
    except BaseException:
        session.rollback()
        raise


def rename(session: Session, run_id: str, name: str) -> Run:
    """Give a run another name. Raises: Invalid, NotFound."""
    name = name.strip()
    if not name:
        raise Invalid([Problem("name", "give the run a name")])
    if len(name) > NAME_CHARS:
        raise Invalid([Problem("name", f"a name has at most {NAME_CHARS} characters, this one has {len(name)}")])
    run = get(session, run_id)
    run.name = name
    session.commit()
    return run


def delete(session: Session, run_id: str, *, within_s: float = AT_ONCE_S) -> None:
    """Remove a run with all its records; versions that it gave to the prompt library stay.

    It is gone for everybody at once. Of a large one the records go later, by the sweep of a worker or the next prune; within_s:
    seconds of work on that before this returns. Raises: NotFound; Conflict while a worker is on it.
    """
    with locked(session, run_id):
        if is_attended(session.connection(), run_id):
            raise Conflict(f"Run {run_id} is under way; cancel it first, then delete it.")
        removal.hide_run(session.connection(), run_id)
    session.expire_all()
    removal.clear_up(session.get_bind().engine, within_s)
