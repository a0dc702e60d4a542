"""Drive a run: claim it, run its kind on the engine, put its end on record. Workers and the terminal do it the same way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.budget import Budget, Limits
from app.core.catalog import KINDS, Kind
from app.core.desk import Policy
from app.core.halt import Cancelled, Paused
from app.core.run import Run as Engine
from app.ports.journal import JournalError
from app.ports.llm import LLM, Json
from app.ports.scoring import Tools
from app.services import prompts, runs
from app.services.training.draft import examples_of
from app.store import claims
from app.store.database import Database
from app.store.journal import SqlJournal
from app.store.models import Event, Run

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
    open_tools: Callable[[], Tools] = Tools,
    open_journal: Callable[[Database, claims.Claim], SqlJournal] = SqlJournal,
) -> str:
    """Work on a run to its end, its pause, or the loss of its lease.

    open_llm: makes the models' adapter; open_tools: what scorers may use. Both are closed afterwards. owner: who holds the
    lease, for people.
    Returns the status that this brought about; "" when the run needs no worker, has another one, or was lost to one.
    """
    claim = claims.claim(database, run_id, owner, lease_s)
    if claim is None:
        return ""
    journal = open_journal(database, claim)
    try:
        with closing(open_tools()) as tools:
            end = asyncio.run(_work(database, journal, claim, open_llm, tools))
        journal.stop()
        return _conclude(database, claim, end)
    except JournalError as lost:
        logger.warning("run %s: another worker has to continue it: %s", run_id, lost)
        return ""
    except SystemExit:  # the worker is told to end: what was bought is on record, and the next worker need not wait
        journal.stop()
        with suppress(JournalError):
            claims.release(database, claim)
        raise
    finally:
        journal.stop()


async def _work(
    database: Database, journal: SqlJournal, claim: claims.Claim, open_llm: Callable[[], LLM], tools: Tools
) -> End:
    with database.session() as session:
        run = session.get_one(Run, claim.run_id)
        spec, kind = run.spec, KINDS[run.kind]
        elapsed_s = worked_s(session, run.id)
    budget = Budget(Limits(**spec["budget"]), await journal.totals(), elapsed_s)
    llm = open_llm()
    engine = Engine(
        llm, journal, budget, policy(spec["calls"]), concurrency=spec["concurrency"], resumed=claim.fence > 1
    )

    async def whole(run: Engine) -> Json:
        # A large dataset takes longer than a lease lasts: in a thread, so that the heart beats meanwhile.
        return await kind.execute(run, await asyncio.to_thread(_prepare, database, kind, spec, tools))

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
        await llm.aclose()


def _prepare(database: Database, kind: Kind, spec: Json, tools: Tools) -> Any:
    """The kind's own value, from the spec and the dataset as it is now. Raises: ValueError."""
    with database.session() as session:
        rows = examples_of(session, spec["dataset"]["id"])
    return kind.prepare(spec, rows, tools)


def worked_s(session: Session, run_id: str) -> float:
    """Seconds that workers have spent on a run: from each time it was taken up to the last event before the next time."""
    query = select(Event.id, Event.at, Event.data).where(Event.run_id == run_id, Event.name == "status")
    begins = [(id_, at) for id_, at, data in session.execute(query.order_by(Event.id)) if data["status"] == "running"]
    total = 0.0
    for (first, at), following in zip(begins, [*begins[1:], None], strict=True):
        span = select(func.max(Event.at)).where(Event.run_id == run_id, Event.id >= first)
        last = session.scalar(span.where(Event.id < following[0]) if following else span)
        total += (last - at).total_seconds() if last else 0.0
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
    """Status, outcome and the new prompt versions in one transaction. Returns the status."""
    with database.session() as session:
        status = claims.finish(session, claim, status=end.status, reason=end.reason, outcome=end.outcome)
        run = session.get_one(Run, claim.run_id)
        prompts.adopt(session, run, runs.notes(session, run.id))
        session.commit()
        return status
