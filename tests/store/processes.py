"""What tests let other processes do, and a way to start those quickly."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier

from app.store.database import Database
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
