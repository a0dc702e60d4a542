"""Help the driver of a large run: buy shards of its evaluation in this process, until there are none or others need us more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial

from sqlalchemy import exists, select

from app.core.budget import Budget
from app.core.catalog import KINDS
from app.core.desk import Policy
from app.core.halt import Halt, Paused
from app.core.model import Exam
from app.core.run import Run as Engine
from app.core.sharing import Part, keep_shards
from app.ports import scoring
from app.ports.crew import Ended, Shard
from app.ports.journal import JournalError, Totals
from app.ports.llm import LLM, Json
from app.ports.pace import Pace
from app.services.drive import policy, prepare
from app.services.machine import Machine
from app.store import claims
from app.store.crew import SqlCrew
from app.store.database import Database
from app.store.journal import SqlJournal
from app.store.models import Run, ShardRow

logger = logging.getLogger(__name__)


class Quiet(SqlJournal):
    """A helper's journal: only the driver tells how far the run is."""

    def tell(self, name: str, data: Json) -> None:
        """See the port."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a helper works with. machine: where we are. open_scoring: what scorers may use here."""

    database: Database
    machine: Machine
    open_llm: Callable[[], LLM]
    open_pace: Callable[[], Pace]
    open_scoring: Callable[[], scoring.Tools] = scoring.Tools


def help_out(run_id: str, tools: Tools, owner: str) -> int:
    """Buy open shards of the run. Returns how many were bought; 0 when it needs no help."""
    claim = _needed(tools.database, run_id)
    if claim is None or tools.machine.trouble():
        return 0
    crew = SqlCrew(tools.database, claim, owner, patience_s=tools.machine.wait_s)
    journal = Quiet(tools.database, claim, spool_in=tools.machine.spool, patience_s=tools.machine.wait_s)
    try:
        with closing(tools.open_scoring()) as scorer_tools:
            return asyncio.run(_Helper(tools, claim, crew, journal).work(scorer_tools))
    except ValueError as error:
        logger.warning("run %s can have no help from this worker: %s", run_id, error)
        return 0
    except JournalError as lost:
        logger.info("run %s needs no help any more: %s", run_id, lost)
        return 0
    finally:
        journal.stop()


def _needed(database: Database, run_id: str) -> claims.Claim | None:
    """The right to write for the run's driver, as long as there are shards to take."""
    with database.session() as session:
        waits = exists().where(ShardRow.run_id == Run.id, ShardRow.fence == Run.fence, ShardRow.status == "open")
        fence = session.scalar(select(Run.fence).where(Run.id == run_id, Run.status == "running", waits))
    return None if fence is None else claims.Claim(run_id, fence, ttl_s=0.0)


class _Helper:
    """One worker that helps with one run."""

    def __init__(self, tools: Tools, claim: claims.Claim, crew: SqlCrew, journal: SqlJournal) -> None:
        self._tools = tools
        self._claim = claim
        self._crew = crew
        self._journal = journal
        self._others = 1
        self._engine: Engine | None = None

    async def work(self, scorer_tools: scoring.Tools) -> int:
        """Take shards until there are none. Returns how many were bought. Raises: JournalError, ValueError."""
        spec, exams = await asyncio.to_thread(self._read, scorer_tools)
        llm, pace = self._tools.open_llm(), self._tools.open_pace()
        keeping = asyncio.create_task(self._keep())
        bought = 0
        try:
            while not self._wanted_elsewhere() and (shard := await self._crew.take()):
                self._engine = Engine(
                    llm,
                    self._journal,
                    Budget(Part.of_json(shard.work).limits, Totals()),
                    _policy(spec),
                    concurrency=spec["concurrency"],
                    resumed=True,
                    pace=pace,
                )
                self._engine.others = self._others
                bought += await self._buy(self._engine, shard, exams)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await llm.aclose()
            await pace.aclose()
        return bought

    async def _buy(self, engine: Engine, shard: Shard, exams: Sequence[Exam]) -> bool:
        part = Part.of_json(shard.work)
        exam = next((one for one in exams if one.digest == part.exam), None)
        problem = "" if exam else "this worker would examine differently; is it of another version?"
        try:
            if exam:
                await engine.conduct(partial(_bought, part, exam))
        except Halt as halt:
            problem = str(halt)
        await self._crew.finish(shard.number, Ended(asdict(engine.budget.spent), problem))
        return not problem

    def _read(self, scorer_tools: scoring.Tools) -> tuple[Json, Sequence[Exam]]:
        with self._tools.database.session() as session:
            run = session.get_one(Run, self._claim.run_id)
        return run.spec, prepare(self._tools.database, KINDS[run.kind], run.spec, scorer_tools).exams

    def _wanted_elsewhere(self) -> bool:
        """Runs that have no worker at all come first."""
        return bool(claims.abandoned(self._tools.database, limit=1))

    async def _keep(self) -> None:
        with suppress(JournalError):
            await keep_shards(self._crew, self._see_others)
        if self._engine:
            self._engine.halt(Paused("the driver needs no help any more"))

    def _see_others(self, others: int) -> None:
        self._others = max(1, others)  # the driver counts, even while it waits
        if self._engine:
            self._engine.others = self._others


async def _bought(part: Part, exam: Exam, run: Engine) -> object:
    return await run.evaluate([part.candidate], part.cases, exam, part.repeats)


def _policy(spec: Json) -> Policy:
    """The run's policy; what happened to the provider is for the driver to find out."""
    return replace(policy(spec), unproven=False)
