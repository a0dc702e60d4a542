"""What tests let other processes do, and a way to start those quickly."""

from __future__ import annotations

import asyncio
import multiprocessing
import uuid
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier

from app.ports.journal import CallIntent, CallResult, Sample
from app.store import claims
from app.store.database import Database
from app.store.journal import SqlJournal
from app.store.schema import Unusable


def context() -> ForkServerContext:
    """Processes forked from a helper that has imported everything once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.store.processes"])
    return context


def run_together(processes: list[ForkServerProcess], timeout_s: float = 60) -> None:
    """Start them all and wait until they have ended well."""
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout_s)
    assert [process.exitcode for process in processes] == [0] * len(processes)


def upgrade(url: str, start: Barrier, failures: SimpleQueue[str]) -> None:
    """A first start."""
    start.wait()
    try:
        with Database(url) as database:
            database.upgrade()
            database.check()
    except Unusable as error:
        failures.put(str(error))


def write_calls(url: str, confirmed: Connection[str, object]) -> None:
    """A worker that makes calls, eight at a time, and tells which ones are durable. It never ends by itself."""
    with Database(url) as database:
        claim = claims.claim(database, "run1", "worker")
        assert claim is not None
        asyncio.run(_write_calls(SqlJournal(database, claim), confirmed))


async def _write_calls(journal: SqlJournal, confirmed: Connection[str, object]) -> None:
    async def one_after_the_other() -> None:
        while True:
            key = uuid.uuid4().hex
            await journal.intend(CallIntent(key, 1, "primary", "m", {"text": "x" * 500}, None))
            journal.settle(key, CallResult("answer " * 50))
            journal.keep(Sample(key, "c", "1", 0, "train", "scored", 1.0, "", "answer"))
            await journal.flush()
            confirmed.send(key)

    await asyncio.gather(*(one_after_the_other() for _ in range(8)))


def claim_together(url: str, runs: list[str], start: Barrier, won: SimpleQueue[str]) -> None:
    """One of several workers that want the same runs."""
    with Database(url) as database:
        start.wait()
        for run_id in runs:
            if claims.claim(database, run_id, "worker"):
                won.put(run_id)
