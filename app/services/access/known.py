"""What is known of access: the last finding of each target, with its age; asked for, answered, kept by digest."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.config import Access
from app.llm.capabilities import CAPABILITIES, listed
from app.ports.llm import LLM, Json
from app.services.access.asking import ANSWERS, Finding, ask_all
from app.services.access.target import Target
from app.store.provider_tables import AccessRow
from app.store.types import utc_now

LONGEST_WAIT = dt.timedelta(minutes=5)
"""A check that was asked for longer ago than this and has not ended never will."""
LASTING = frozenset({"permanent", "unauthorized", "unknown_model", "quota_exhausted", "rejected"})
"""Outcomes that another try does not change."""


@dataclass(frozen=True, slots=True)
class Capability:
    """listed: as LiteLLM's table says; tried: as it came out; None where nothing is known."""

    name: str
    listed: bool | None
    tried: bool | None = None
    words: str = ""

    @property
    def differs(self) -> bool:
        """Whether the table and the try contradict each other."""
        return None not in (self.listed, self.tried) and self.listed != self.tried


@dataclass(frozen=True, slots=True)
class State:
    """The last finding of a target. outcome: "" when it was never checked. awaited: a check is under way."""

    target: Target
    outcome: str = ""
    words: str = ""
    seconds: float | None = None
    usd: float | None = None
    checked_at: dt.datetime | None = None
    age_s: float | None = None
    awaited: bool = False
    tried: Json = None

    @property
    def answers(self) -> bool:
        """Whether it answered when it was last asked."""
        return self.outcome == ANSWERS

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What the table says beside what was tried."""
        table, tried = listed(self.target.model), self.tried or {}
        return tuple(
            Capability(name, table[name], tried.get(name, {}).get("ok"), tried.get(name, {}).get("words", ""))
            for name in CAPABILITIES
        )

    def fresh(self, settings: Access) -> bool:
        """Whether it need not be asked again before a run: it answered, not long ago."""
        return self.answers and self.age_s is not None and self.age_s <= settings.fresh_minutes * 60


def states(session: Session, targets: Iterable[Target]) -> list[State]:
    """What is known of each target, in their order."""
    wanted = list(dict.fromkeys(targets))
    query = select(AccessRow, utc_now()).where(AccessRow.digest.in_([target.digest for target in wanted]))
    known = {row.digest: _state(row, now) for row, now in session.execute(query)}
    return [known.get(target.digest, State(target)) for target in wanted]


def ask_for(session: Session, targets: Iterable[Target], *, trying: bool = False) -> None:
    """Note that these are to be checked; whoever calls answer_asked does it."""
    wanted = list(dict.fromkeys(targets))
    rows = {
        row.digest: row
        for row in session.scalars(select(AccessRow).where(AccessRow.digest.in_([t.digest for t in wanted])))
    }
    for target in wanted:
        row = rows.get(target.digest)
        if row is None:
            row = AccessRow(digest=target.digest, target=asdict(target))
            session.add(row)
        row.asked_at, row.wants_trying = utc_now(), trying
    session.commit()


def answer_asked(engine: Engine, llm: LLM, settings: Access) -> int:
    """Check everything that is asked for and keep each finding as it comes. Returns how many there were."""
    with Session(engine) as session:
        query = select(AccessRow, utc_now()).where(AccessRow.asked_at.is_not(None))
        rows = [(Target(**row.target), row.wants_trying) for row, now in session.execute(query) if _waits(row, now)]
    check(engine, llm, settings, rows)
    return len(rows)


def check(engine: Engine, llm: LLM, settings: Access, targets: Sequence[tuple[Target, bool]]) -> None:
    """Check these now and keep each finding as it comes. targets: with whether capabilities are tried; llm is closed."""

    async def keep(target: Target, finding: Finding) -> None:
        await asyncio.to_thread(_keep, engine, target, finding)

    async def work() -> None:
        try:
            await ask_all(targets, llm, keep, deadline_s=settings.deadline_s, concurrency=settings.concurrency)
        finally:
            await llm.aclose()

    if targets:
        asyncio.run(work())


def _keep(engine: Engine, target: Target, finding: Finding) -> None:
    with Session(engine) as session:
        row = session.scalars(select(AccessRow).where(AccessRow.digest == target.digest)).one_or_none()
        if row is None:
            row = AccessRow(digest=target.digest, target=asdict(target))
            session.add(row)
        row.asked_at, row.wants_trying, row.checked_at = None, False, utc_now()
        row.outcome, row.words = finding.outcome, finding.words
        row.seconds, row.usd, row.tried = finding.seconds, finding.usd, finding.tried
        session.commit()


def _state(row: AccessRow, now: dt.datetime) -> State:
    age = (now - row.checked_at).total_seconds() if row.checked_at else None
    return State(
        Target(**row.target),
        row.outcome,
        row.words,
        row.seconds,
        row.usd,
        row.checked_at,
        age,
        _waits(row, now),
        row.tried,
    )


def _waits(row: AccessRow, now: dt.datetime) -> bool:
    return row.asked_at is not None and now - row.asked_at < LONGEST_WAIT
