"""What a run has on record: its events, its history, what it has spent, how far it is, its samples and calls."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.core.stats.interval import COUNTED
from app.ports.journal import Totals
from app.services.errors import NotFound
from app.services.runs.spending import spent_so_far
from app.store.models import (
    CACHED,
    FAILED,
    NOT_PRIMARY,
    OPEN,
    STATE,
    UNSCORED,
    CallRow,
    Event,
    Run,
    SampleRow,
    narrowed,
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run said it was. done of total: pieces of the stage; fraction: of the whole run, in [0, 1].

    eta_s: seconds that the rest may take at most, None while unknown. calls, tokens, cost_usd: so far.
    """

    stage: str
    done: int
    total: int
    fraction: float
    eta_s: float | None
    calls: int
    tokens: int
    cost_usd: float


@dataclass(frozen=True, slots=True)
class Unprocessed:
    """A sample that failed for good. retries: sendings beyond the first of its calls that failed."""

    sample: SampleRow
    retries: int


def events(session: Session, run_id: str, after_id: int = 0, limit: int = 500) -> list[Event]:
    """Everything noted and told after an event, in order."""
    query = select(Event).where(Event.run_id == run_id, Event.id > after_id).order_by(Event.id).limit(limit)
    return list(session.scalars(query))


def notes(session: Session, run_id: str) -> list[Event]:
    """The run's history in order, without what was only told."""
    query = select(Event).where(Event.run_id == run_id, Event.note.is_not(None)).order_by(Event.note)
    return list(session.scalars(query))


def totals(session: Session, run_id: str) -> Totals:
    """What the run has spent so far, whoever drove it. Raises: NotFound."""
    found = session.execute(select(Run.spent).where(Run.id == run_id)).one_or_none()
    if found is None:
        raise NotFound(f"There is no run {run_id[:40]}.")
    return Totals(**found.spent) if found.spent else spent_so_far(session, run_id)


def progress(session: Session, run: Run) -> Progress | None:
    """What the run last said about its progress; None before it said anything."""
    query = select(Event.data).where(Event.run_id == run.id, Event.name == "progress", narrowed(STATE))
    data = session.scalars(query.order_by(Event.id.desc()).limit(1)).first()
    return Progress(**{name: data[name] for name in Progress.__dataclass_fields__}) if data else None


def samples(
    session: Session,
    run_id: str,
    *,
    candidate: str = "",
    split: str = "",
    outcome: str = "",
    after: int = 0,
    limit: int = 50,
) -> list[SampleRow]:
    """Samples with ids beyond ``after``, in the order in which they were finished; "" does not narrow."""
    query = select(SampleRow.id).where(SampleRow.run_id == run_id, SampleRow.id > after)
    for column, value in ((SampleRow.candidate, candidate), (SampleRow.split, split), (SampleRow.outcome, outcome)):
        if value:
            query = query.where(column == value)
    if outcome not in ("", "scored") and not candidate:
        query = query.where(narrowed(UNSCORED))
    return _rows(session, query, limit)


def _rows(session: Session, ids: Select[int], limit: int) -> list[SampleRow]:
    """The first samples of those ids: narrowed in the index alone, and only then read."""
    first = ids.order_by(SampleRow.id).limit(limit)
    return list(session.scalars(select(SampleRow).where(SampleRow.id.in_(first)).order_by(SampleRow.id)))


def calls(session: Session, run_id: str, *, show: str = "", after: int = 0, limit: int = 50) -> list[CallRow]:
    """Calls with ids beyond ``after``, in the order of their first sending.

    show: "" for all, a role (primary, optimizer, judge), "errors" for failed ones, "open" for those of unknown fate,
    "cached" for those that took a reply of an earlier run.
    """
    query = select(CallRow).where(CallRow.run_id == run_id, CallRow.id > after)
    if show == "errors":
        query = query.where(narrowed(FAILED), CallRow.settled)
    elif show == "open":
        query = query.where(narrowed(OPEN))
    elif show == "cached":
        query = query.where(narrowed(CACHED))
    elif show:
        query = query.where(CallRow.role == show, *([] if show == "primary" else [narrowed(NOT_PRIMARY)]))
    return list(session.scalars(query.order_by(CallRow.id).limit(limit)))


def unprocessed(session: Session, run: Run, *, after: int = 0, limit: int = 50) -> list[Unprocessed]:
    """What has no score because a call failed for good, with cause and retries; after: a sample's id."""
    query = select(SampleRow.id).where(SampleRow.run_id == run.id, SampleRow.id > after, narrowed(UNSCORED))
    failed = _rows(session, query.where(SampleRow.outcome.not_in(COUNTED)), limit)
    retries = _retries(session, run.id) if failed else Counter()
    return [Unprocessed(sample, retries[sample.key]) for sample in failed]


def count_unprocessed(session: Session, run: Run) -> int:
    """How many samples have no score because a call failed for good."""
    query = select(func.count()).where(SampleRow.run_id == run.id, narrowed(UNSCORED))
    return session.scalar(query.where(SampleRow.outcome.not_in(COUNTED))) or 0


def _retries(session: Session, run_id: str) -> Counter[str]:
    """By sample key; the keys of a sample's calls begin with its own and a slash."""
    query = select(CallRow.key, CallRow.retries).where(CallRow.run_id == run_id, narrowed(FAILED), CallRow.retries > 0)
    found: Counter[str] = Counter()
    for key, retries in session.execute(query):
        found[key.partition("/")[0]] += retries
    return found
