"""Drive a run: claim it, run its kind on the engine, put its end on record. Workers and the terminal do it the same way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.budget import Budget, Limits
from app.core.catalog import KINDS, Kind
from app.core.desk import Policy
from app.core.halt import Cancelled, Paused
from app.core.run import Run as Engine
from app.ports.journal import JournalError, LeaseLost
from app.ports.llm import LLM, Json
from app.services import prompts, runs
from app.services.machine import Machine
from app.services.training.draft import examples_of
from app.store import claims, spool
from app.store.database import Database
from app.store.journal import SqlJournal
from app.store.models import Event, Run
from app.store.outage import insist, is_away, reason

LOOK_S = 2.0
"""Seconds between two looks at the disk while a run is driven."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class End:
    """How the work on a run ended. outcome: None keeps what is on record."""

    status: claims.End
    reason: str = ""
    outcome: Json = None


def drive(
    run_id: str,
    *,
    database: Database,
    open_llm: Callable[[], LLM],
    owner: str,
    lease_s: float,
    machine: Machine = Machine(),  # noqa: B008 - a frozen value
    open_journal: Callable[..., SqlJournal] = SqlJournal,
) -> str:
    """Work on a run to its end, its pause, or the loss of its lease.

    open_llm: makes the models' adapter; it is closed afterwards. owner: who holds the lease, for people. machine: where we are.
    Returns the status that this brought about; "" when the run needs no worker, has another one, or was lost to one.
    """
    claim = _take(database, run_id, owner, lease_s)
    if claim is None:
        return ""
    journal: SqlJournal | None = None
    try:
        _bring_back(database, claim, machine)
        journal = open_journal(database, claim, spool_in=machine.spool, patience_s=machine.wait_s)
        end = _run(_work(database, journal, claim, open_llm, machine), journal)
        journal.stop()
        _bring_back(database, claim, machine)  # what an earlier worker, frozen until now, had left
        return insist(lambda: _conclude(database, claim, end), machine.wait_s)
    except JournalError as lost:
        logger.warning("run %s: another worker has to continue it: %s", run_id, lost)
        return ""
    except SystemExit:  # the worker is told to end: what was bought is on record, and the next worker need not wait
        if journal:
            journal.stop()
        with suppress(JournalError, SQLAlchemyError):
            claims.release(database, claim)
        raise
    finally:
        if journal:
            journal.stop()


def _take(database: Database, run_id: str, owner: str, lease_s: float) -> claims.Claim | None:
    """The claim; None also while the database cannot be written, since the run then waits in it."""
    try:
        return claims.claim(database, run_id, owner, lease_s)
    except SQLAlchemyError as error:
        if not is_away(error):
            raise
        logger.warning("run %s waits, because the database cannot be written: %s", run_id, reason(error))
        return None


def _bring_back(database: Database, claim: claims.Claim, machine: Machine) -> None:
    """Put on record what earlier claims had paid for when the database was away. Raises: JournalError."""
    folder = machine.spool
    if folder is None:
        return
    try:
        insist(lambda: spool.restore(database, claim, folder), machine.wait_s)
    except OSError as error:
        logger.error("run %s: what waits in %s cannot be read; it may be bought again: %s", claim.run_id, folder, error)


def _run(work: Coroutine[Any, Any, End], journal: SqlJournal) -> End:
    with asyncio.Runner() as runner:
        try:
            return runner.run(work)
        except SystemExit:
            journal.hurry()
            raise


async def _work(
    database: Database, journal: SqlJournal, claim: claims.Claim, open_llm: Callable[[], LLM], machine: Machine
) -> End:
    if trouble := machine.trouble():
        return End("paused", trouble)
    run, elapsed_s = insist(lambda: _known(database, claim.run_id), machine.wait_s)
    spec, kind = run.spec, KINDS[run.kind]
    budget = Budget(Limits(**spec["budget"]), await journal.totals(), elapsed_s)
    llm = open_llm()
    engine = Engine(
        llm, journal, budget, policy(spec["calls"]), concurrency=spec["concurrency"], resumed=claim.fence > 1
    )

    async def whole(run: Engine) -> Json:
        # A large dataset takes longer than a lease lasts: in a thread, so that the heart beats meanwhile.
        prepared = await asyncio.to_thread(insist, lambda: _prepare(database, kind, spec), machine.wait_s)
        return await kind.execute(run, prepared)

    watching = asyncio.create_task(_watch(machine, engine))
    try:
        return End("done", outcome=await engine.conduct(whole))
    except Paused as halt:
        return End("paused", str(halt))
    except Cancelled as halt:
        return End("cancelled", str(halt))
    except JournalError:
        raise
    except Exception as error:  # the door: whatever else happens is a fault of ours, told and not hidden
        logger.exception("run %s failed", claim.run_id)
        return End("failed", f"{type(error).__name__}: {error}")
    finally:
        watching.cancel()
        await llm.aclose()


async def _watch(machine: Machine, engine: Engine) -> None:
    """Pause the run before the disk is full."""
    trouble = ""
    while not trouble:
        await asyncio.sleep(LOOK_S)
        trouble = await asyncio.to_thread(machine.trouble)
    engine.halt(Paused(trouble))


def _known(database: Database, run_id: str) -> tuple[Run, float]:
    """The run, and how long workers have been at it."""
    with database.session() as session:
        return session.get_one(Run, run_id), worked_s(session, run_id)


def _prepare(database: Database, kind: Kind, spec: Json) -> Any:
    """The kind's own value, from the spec and the dataset as it is now. Raises: ValueError."""
    with database.session() as session:
        rows = examples_of(session, spec["dataset"]["id"])
    return kind.prepare(spec, rows)


def worked_s(session: Session, run_id: str) -> float:
    """Seconds that workers have spent on a run: from each time it was taken up to the last event before the next time."""
    query = select(Event.id, Event.at, Event.data).where(Event.run_id == run_id, Event.name == "status")
    begins = [(id_, at) for id_, at, data in session.execute(query.order_by(Event.id)) if data["status"] == "running"]
    total = 0.0
    for (first, at), following in zip(begins, [*begins[1:], None], strict=True):
        span = select(func.max(Event.at)).where(Event.run_id == run_id, Event.id >= first)
        last = session.scalar(span.where(Event.id < following[0]) if following else span)
        total += max((last - at).total_seconds(), 0.0) if last else 0.0  # a clock may have been set back
    return total


def policy(calls: Json) -> Policy:
    """The desk's policy from a spec's pinned call settings (see app.config.Calls)."""
    return Policy(
        deadline_s=calls["deadline_s"],
        sendings=calls["retries"] + 1,
        backoff_s=calls["backoff_s"],
        longest_wait_s=calls["max_wait_s"],
        circuit=calls["circuit_failures"],
    )


def _conclude(database: Database, claim: claims.Claim, end: End) -> str:
    """Status, outcome and the new prompt versions in one transaction. Returns the status. May be repeated.

    Raises: LeaseLost.
    """
    with database.session() as session:
        try:
            status = claims.finish(session, claim, status=end.status, reason=end.reason, outcome=end.outcome)
        except LeaseLost:
            session.rollback()
            if ended := _ended_by(session, claim):
                return ended  # the commit before had arrived, only its answer was lost
            raise
        run = session.get_one(Run, claim.run_id)
        prompts.adopt(session, run, runs.notes(session, run.id))
        session.commit()
        return status


def _ended_by(session: Session, claim: claims.Claim) -> str:
    """How the run ended under this claim; "" when it has not, or another claim came."""
    run = session.get(Run, claim.run_id)
    return run.status if run and run.fence == claim.fence and run.status not in ("running", "queued") else ""
