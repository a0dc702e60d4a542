"""Drive a run: claim it, run its kind on the engine, put its end on record. Workers and the terminal do it the same way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.budget import Budget, Limits
from app.core.catalog import KINDS, Kind
from app.core.desk import Policy
from app.core.halt import Cancelled, Paused, ProviderDown
from app.core.pace import LocalPace
from app.core.run import Run as Engine
from app.ports.journal import JournalError
from app.ports.llm import LLM, Json
from app.ports.pace import Lane, Pace
from app.services import prompts, runs
from app.services.training.draft import examples_of
from app.store import claims
from app.store.database import Database
from app.store.journal import SqlJournal
from app.store.models import Event, Run

logger = logging.getLogger(__name__)

LONGEST_OUTAGE_WAIT_S = 1800.0


@dataclass(frozen=True, slots=True)
class End:
    """How the work on a run ended. outcome: None keeps what is on record. outage: it paused for one, and may be tried again.

    answered: whether any call got an answer.
    """

    status: claims.End
    reason: str = ""
    outcome: Json = None
    outage: bool = False
    answered: bool = True


def drive(
    run_id: str,
    *,
    database: Database,
    open_llm: Callable[[], LLM],
    open_pace: Callable[[], Pace] = LocalPace,
    owner: str,
    lease_s: float,
    open_journal: Callable[[Database, claims.Claim], SqlJournal] = SqlJournal,
) -> str:
    """Work on a run to its end, its pause, or the loss of its lease.

    open_llm, open_pace: make the models' adapter and the rate limits; they are closed afterwards. owner: who holds the lease,
    for people.
    Returns the status that this brought about; "" when the run needs no worker, has another one, or was lost to one.
    """
    claim = claims.claim(database, run_id, owner, lease_s)
    if claim is None:
        return ""
    journal = open_journal(database, claim)
    try:
        end = asyncio.run(_work(database, journal, claim, open_llm, open_pace))
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
    database: Database,
    journal: SqlJournal,
    claim: claims.Claim,
    open_llm: Callable[[], LLM],
    open_pace: Callable[[], Pace],
) -> End:
    with database.session() as session:
        run = session.get_one(Run, claim.run_id)
        spec, kind, outages = run.spec, KINDS[run.kind], run.outages
        elapsed_s = worked_s(session, run.id)
    before = await journal.totals()
    budget = Budget(Limits(**spec["budget"]), before, elapsed_s)
    llm, pace = open_llm(), open_pace()
    engine = Engine(
        llm,
        journal,
        budget,
        policy(spec, unproven=outages > 0),
        concurrency=spec["concurrency"],
        resumed=claim.fence > 1,
        pace=pace,
    )

    async def whole(run: Engine) -> Json:
        # A large dataset takes longer than a lease lasts: in a thread, so that the heart beats meanwhile.
        return await kind.execute(run, await asyncio.to_thread(_prepare, database, kind, spec))

    try:
        return End("done", outcome=await engine.conduct(whole))
    except ProviderDown as halt:
        answered = (await journal.totals()).calls > before.calls
        return End("paused", str(halt), outage=halt.by_itself, answered=answered)
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
        await pace.aclose()


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
        total += (last - at).total_seconds() if last else 0.0
    return total


def policy(spec: Json, *, unproven: bool = False) -> Policy:
    """The desk's policy from a spec's pinned call settings (see app.config.Calls). unproven: it was paused by an outage."""
    calls = spec["calls"]
    return Policy(
        unproven=unproven,
        on_uncertain=calls.get("on_uncertain", "repeat"),
        draws=spec["seed"] if spec.get("cache") == "reuse" else None,
        lanes={model: Lane(**lane) for model, lane in calls.get("lanes", {}).items()},
        deadline_s=calls["deadline_s"],
        sendings=calls["retries"] + 1,
        backoff_s=calls["backoff_s"],
        longest_wait_s=calls["max_wait_s"],
        circuit=calls["circuit_failures"],
    )


def _conclude(database: Database, claim: claims.Claim, end: End) -> str:
    """Status, outcome and the new prompt versions in one transaction. Returns the status."""
    with database.session() as session:
        run = session.get_one(Run, claim.run_id)
        again = _again(run, end) if end.outage else None
        status = claims.finish(session, claim, status=end.status, reason=end.reason, outcome=end.outcome, again=again)
        prompts.adopt(session, run, runs.notes(session, run.id))
        session.commit()
        return status


def _again(run: Run, end: End) -> claims.Again | None:
    """When a run that an outage paused is tried again; None when only a person may do that."""
    first = run.spec["calls"].get("outage_retry_s", 0.0)
    outages = 1 if end.answered else run.outages + 1
    return claims.Again(min(LONGEST_OUTAGE_WAIT_S, first * 2 ** (outages - 1)), outages) if first else None
