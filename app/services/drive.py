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
from app.core.halt import Cancelled, Paused, ProviderDown
from app.core.pace import LocalPace
from app.core.run import Run as Engine
from app.ports.crew import Crew
from app.ports.journal import JournalError, Totals
from app.ports.live import Ear
from app.ports.llm import LLM, Json
from app.ports.pace import Lane, Pace
from app.ports.scoring import Tools
from app.services.datasets import pictures_of
from app.services.ending import End, conclude
from app.services.machine import Machine
from app.services.rejudging.record import record_of
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
class Colleagues:
    """The other workers, as one that drives a run meets them.

    open_pace: makes the rate limits that all share; closed afterwards. crew: who may help with the claim's run; None for
    nobody.
    """

    open_pace: Callable[[], Pace] = LocalPace
    crew: Callable[[claims.Claim], Crew | None] = lambda _: None


def drive(  # noqa: PLR0913 - each is named, and all but four have a default
    run_id: str,
    *,
    database: Database,
    open_llm: Callable[[], LLM],
    open_tools: Callable[[], Tools] = Tools,
    owner: str,
    lease_s: float,
    machine: Machine = Machine(),  # noqa: B008 - a frozen value
    colleagues: Colleagues = Colleagues(),
    open_ear: Callable[[str], Ear | None] = lambda _: None,
    open_journal: Callable[..., SqlJournal] = SqlJournal,
) -> str:
    """Work on a run to its end, its pause, or the loss of its lease.

    open_llm, open_tools: make the models' adapter and what scorers may use; both are closed afterwards. owner: who holds the
    lease, for people. machine: where we are. colleagues: the other workers. open_ear: makes what hears the run's answers while
    they come; closed afterwards.
    Returns the status that this brought about; "" when the run needs no worker, has another one, or was lost to one.
    """
    claim = _take(database, run_id, owner, lease_s)
    if claim is None:
        return ""
    journal: SqlJournal | None = None
    try:
        _bring_back(database, claim, machine)
        journal = open_journal(database, claim, spool_in=machine.spool, patience_s=machine.wait_s)
        world = _World(database, journal, machine, open_llm, open_tools, colleagues, open_ear)
        end = _run(_work(world, claim), journal)
        journal.stop()
        _bring_back(database, claim, machine, helpers=True)
        return insist(lambda: conclude(database, claim, end), machine.wait_s)
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


def _bring_back(database: Database, claim: claims.Claim, machine: Machine, *, helpers: bool = False) -> None:
    """Put on record what earlier claims, or helpers, had paid for while the database was away. Raises: JournalError."""
    folder = machine.spool
    if folder is None:
        return
    try:
        insist(lambda: spool.restore(database, claim, folder, helpers=helpers), machine.wait_s)
    except OSError as error:
        logger.error("run %s: what waits in %s cannot be read; it may be bought again: %s", claim.run_id, folder, error)


def _run(work: Coroutine[Any, Any, End], journal: SqlJournal) -> End:
    with asyncio.Runner() as runner:
        try:
            return runner.run(work)
        except SystemExit:
            journal.hurry()
            raise


@dataclass(frozen=True, slots=True)
class _World:
    """What the work on one claim reaches the world through."""

    database: Database
    journal: SqlJournal
    machine: Machine
    open_llm: Callable[[], LLM]
    open_tools: Callable[[], Tools]
    colleagues: Colleagues
    open_ear: Callable[[str], Ear | None]


async def _work(world: _World, claim: claims.Claim) -> End:
    if trouble := world.machine.trouble():
        return End("paused", trouble)
    run, elapsed_s = insist(lambda: _known(world.database, claim.run_id), world.machine.wait_s)
    before = await world.journal.totals()
    llm, pace, tools = world.open_llm(), world.colleagues.open_pace(), world.open_tools()
    ear = world.open_ear(claim.run_id)
    engine = Engine(
        llm,
        world.journal,
        Budget(Limits(**run.spec["budget"]), before, elapsed_s),
        policy(run.spec, unproven=run.outages > 0),
        concurrency=run.spec["concurrency"],
        resumed=claim.fence > 1,
        pace=pace,
        crew=world.colleagues.crew(claim) if _may_be_shared(run.spec) else None,
    )
    engine.ear = ear
    try:
        return await _conduct(world, run, engine, before, tools)
    finally:
        if ear:
            ear.close()
        tools.close()
        await llm.aclose()
        await pace.aclose()


def _may_be_shared(spec: Json) -> bool:
    """A run that asks about cut-off calls is bought by one worker, which alone can tell them from calls under way."""
    return bool(spec["calls"].get("on_uncertain", "repeat") != "ask")


async def _conduct(world: _World, run: Run, engine: Engine, before: Totals, tools: Tools) -> End:
    kind = KINDS[run.kind]

    async def whole(engine: Engine) -> Json:
        # A large dataset takes longer than a lease lasts: in a thread, so that the heart beats meanwhile.
        prepared = await asyncio.to_thread(
            insist, lambda: prepare(world.database, kind, run.spec, tools), world.machine.wait_s
        )
        return await kind.execute(engine, prepared)

    watching = asyncio.create_task(_watch(world.machine, engine))
    try:
        return End("done", outcome=await engine.conduct(whole))
    except ProviderDown as halt:
        answered = (await world.journal.totals()).calls > before.calls
        return End("paused", str(halt), outage=halt.by_itself, answered=answered)
    except Paused as halt:
        return End("paused", str(halt))
    except Cancelled as halt:
        return End("cancelled", str(halt))
    except JournalError:
        raise
    except Exception as error:  # the door: whatever else happens is a fault of ours, told and not hidden
        logger.exception("run %s failed", run.id)
        return End("failed", f"{type(error).__name__}: {error}")
    finally:
        watching.cancel()


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


def prepare(database: Database, kind: Kind, spec: Json, tools: Tools) -> Any:
    """The kind's own value, from the spec and the dataset as it is now. Raises: ValueError."""
    with database.session() as session:
        own = (spec.get("dataset") or {}).get("id")
        rows = examples_of(session, own) if own else []
        # Those that the split was made with: of a re-judging, the ones of the training that is judged again.
        source = spec.get("source", spec).get("dataset")
        if source and source["id"] and (pictures := pictures_of(session, source["id"])):
            spec = spec | {"pictures": pictures}
        if "source" in spec:  # it works on what an earlier run has on record
            spec = spec | {"record": record_of(session, spec["source"])}
    return kind.prepare(spec, rows, tools)


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


def policy(spec: Json, *, unproven: bool = False) -> Policy:
    """The desk's policy from a spec's pinned call settings (see app.config.Calls). unproven: it was paused by an outage."""
    calls = spec["calls"]
    return Policy(
        unproven=unproven,
        apart=spec.get("apart", False),
        on_uncertain=calls.get("on_uncertain", "repeat"),
        draws=spec["seed"] if spec.get("cache") == "reuse" else None,
        lanes={model: Lane(**lane) for model, lane in calls.get("lanes", {}).items()},
        deadline_s=calls["deadline_s"],
        sendings=calls["retries"] + 1,
        backoff_s=calls["backoff_s"],
        longest_wait_s=calls["max_wait_s"],
        circuit=calls["circuit_failures"],
    )
