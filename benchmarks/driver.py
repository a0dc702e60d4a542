"""One process that makes calls: told what to do on its command line, it warms up, waits for the word, and tells what it took.

The words are one line of JSON each: {"ready": true} when it may begin, and at the end wall, CPU and memory.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ClassVar, TypeAlias

import aiohttp

from app.config import load as load_settings
from app.core import scorers
from app.core.budget import Budget, Limits
from app.core.desk import Policy
from app.core.model import Candidate, Case, Exam
from app.core.responders.single_turn import SingleTurn
from app.core.run import Run
from app.llm.gateway import Gateway
from app.ports.journal import Journal
from app.ports.llm import LLM, Json, ModelRef, Price, Reply, Request, Usage
from app.services.drive import drive
from app.store import claims
from app.store.database import Database
from app.store.journal import SqlJournal
from app.store.memory import MemoryRecord
from benchmarks import peak
from benchmarks.setting import Load

KEYS = {"OPENAI_API_KEY": "unused", "MISTRAL_API_KEY": "unused", "GOOGLE_CLOUD_PROJECT": "benchmark"}
MODELS = {"openai": "openai/mock", "litellm": "mistral/mistral-small-latest", "vertex": "vertex_ai/gemini-3.5-flash"}
WARM_UP = "code 0"

Work: TypeAlias = Callable[[], Awaitable[None]]


class Instant:
    """A model that answers at once, without any network: what is left is the engine alone."""

    async def complete(self, request: Request, *, deadline_s: float) -> Reply:  # noqa: ARG002 - the port's signature
        """See app.ports.llm.LLM."""
        await asyncio.sleep(0)
        text = request.messages[-1].content.rpartition(" ")[2]
        return Reply(text, "stop", Usage(12, 3), None, 0.0, 0.0, "instant", {"id": "instant", "finish_reason": "stop"})

    def price(self, model: ModelRef) -> Price | None:  # noqa: ARG002 - the port's signature
        """See app.ports.llm.LLM."""
        return None

    async def aclose(self) -> None:
        """See app.ports.llm.LLM."""


def open_llm(load: Load) -> LLM:
    """The way to the mock that the load is to take."""
    if load.lane == "instant":
        return Instant()
    return Gateway(load_settings(environ={}), KEYS | {"MISTRAL_API_BASE": load.base})


def candidate(load: Load) -> Candidate:
    """A plain prompt for the lane's model."""
    bases = {"openai": load.base, "vertex": load.base.removesuffix("/v1")}
    name = MODELS.get(load.lane, "openai/mock")
    return Candidate("Repeat the code.", "", ModelRef(name, {"max_output_tokens": 50}, bases.get(load.lane)))


def cases(load: Load) -> list[Case]:
    """As many as there are calls, all different."""
    return [Case(str(n), f"code {n}", str(n)) for n in range(load.first + 1, load.first + 1 + load.calls)]


async def evaluate(load: Load, llm: LLM, journal: Journal, *, resumed: bool = False) -> None:
    """One evaluation on the engine. Raises: RuntimeError when a call failed."""
    budget = Budget(Limits(), await journal.totals())
    run = Run(llm, journal, budget, Policy(), concurrency=load.concurrency, resumed=resumed)
    exam = Exam(SingleTurn(), scorers.build("exact_match"))
    report = await run.conduct(lambda run: run.evaluate([candidate(load)], cases(load), exam))
    if failed := [sample for sample in report.samples if sample.outcome != "scored"]:
        raise RuntimeError(f"{len(failed)} calls failed, the first: {failed[0].error}")


async def ask_bare(load: Load, session: aiohttp.ClientSession) -> None:
    """The reference: the same requests by aiohttp alone; the streamed answers are read and kept nowhere."""
    queue = iter(range(load.first + 1, load.first + 1 + load.calls))

    async def worker() -> None:
        for number in queue:
            await _post(load, session, f"code {number}")

    await asyncio.gather(*(worker() for _ in range(load.concurrency)))


async def _post(load: Load, session: aiohttp.ClientSession, text: str) -> None:
    messages = [{"role": "system", "content": "Repeat the code."}, {"role": "user", "content": text}]
    body = {"model": "mock", "messages": messages, "stream": True, "stream_options": {"include_usage": True}}
    async with session.post(f"{load.base}/chat/completions", json=body) as answer:
        await answer.read()


@asynccontextmanager
async def journal_of(load: Load) -> Any:
    """The journal of the load's run, claimed; or one in memory."""
    if not load.database:
        yield MemoryRecord().claim()
        return
    with Database(load.database) as database:
        claim = claims.claim(database, load.run_id, "benchmark", 30.0)
        if claim is None:
            raise RuntimeError("the run could not be claimed")
        journal = SqlJournal(database, claim)
        try:
            yield journal
        finally:
            journal.stop()
            claims.release(database, claim)


@asynccontextmanager
async def bare(load: Load) -> Any:
    """What the bare lane does, warmed up."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await _post(load, session, WARM_UP)
        yield lambda: ask_bare(load, session)


@asynccontextmanager
async def evaluation(load: Load) -> Any:
    """An evaluation on the engine, with the adapter and its tables loaded by one call."""
    llm = open_llm(load)
    warm_up = Load(load.lane, load.base, 1, 1, first=-1)
    await evaluate(warm_up, llm, MemoryRecord().claim())
    async with journal_of(load) as journal:
        yield lambda: evaluate(load, llm, journal)
    await llm.aclose()


class Staged(SqlJournal):
    """A journal that remembers how many pieces each stage of the run had: the record keeps only the last progress."""

    stages: ClassVar[list[int]] = []

    def tell(self, name: str, data: Json) -> None:
        """See the port."""
        if name == "progress" and data["total"] and not data["done"]:
            self.stages.append(data["total"])
        super().tell(name, data)


@asynccontextmanager
async def training(load: Load) -> Any:
    """The queued training, driven as a worker drives it."""
    llm = open_llm(load)
    await evaluate(Load(load.lane, load.base, 1, 1, first=-1), llm, MemoryRecord().claim())
    await llm.aclose()
    with Database(load.database) as database:

        def work() -> None:
            status = drive(
                load.run_id,
                database=database,
                open_llm=lambda: open_llm(load),
                owner="benchmark",
                lease_s=30.0,
                open_journal=Staged,
            )
            if status != "done":
                raise RuntimeError(f"the training ended as {status!r}")

        yield lambda: asyncio.to_thread(work)


async def measured(work: Work, *, traced: bool) -> dict[str, Any]:
    """Wait for the word, do the work, tell what it took."""
    before_mb = peak.begin()
    if traced:
        tracemalloc.start()
    print(json.dumps({"ready": True}), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    cpu = time.process_time()
    await work()
    cpu_s, ended = time.process_time() - cpu, time.monotonic()
    traced_mb = tracemalloc.get_traced_memory()[1] / 2**20 if traced else None
    return {
        "ended": ended,
        "cpu_s": cpu_s,
        "rss_mb": peak.peak_mb(),
        "before_mb": before_mb,
        "traced_mb": traced_mb,
        "stages": Staged.stages,
    }


async def main(load: Load) -> None:
    """Do the load and tell."""
    tasks: dict[str, Callable[[Load], AbstractAsyncContextManager[Work]]]
    tasks = {"evaluation": bare if load.lane == "bare" else evaluation, "training": training}
    async with tasks[load.task](load) as work:
        result = await measured(work, traced=load.traced)
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Load(**json.loads(sys.argv[1]))))
