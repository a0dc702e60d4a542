"""A worker in a process of its own that is killed at its n-th commit, just before or just after it became durable."""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

from sqlalchemy import Connection, event, update

from app.ports.llm import Reply, Request
from app.services.drive import drive
from app.store.database import Database
from app.store.models import Run
from tests.fakes.llm import RuleLLM
from tests.faults.kinds import small

Moment: TypeAlias = Literal["before", "after"]


class Nursery:
    """A process without threads that has imported everything, and forks one worker after another; ``with`` ends it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.faults.crash_process"])
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_fork_for_ever, args=(theirs,), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()
        self._pipe.close()

    def die_at_commit(self, *arguments: Any) -> int:
        """Run ``die_at_commit`` in a process of its own. Returns its exit code, negative for a signal."""
        self._pipe.send(arguments)
        code: int = self._pipe.recv()
        return code


def _fork_for_ever(pipe: Any) -> None:
    while True:
        arguments = pipe.recv()
        if child := os.fork():
            pipe.send(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        else:
            try:
                die_at_commit(*arguments)
            except BaseException:  # noqa: BLE001 - the door of a process
                traceback.print_exc()
                os._exit(1)
            os._exit(0)


class CountingLLM(RuleLLM):
    """Writes down each paid reply where the death of its process does not reach."""

    def __init__(self, rule: Callable[[Request], str], file: Path) -> None:
        super().__init__(rule)
        self._file = file

    async def complete(self, request: Request, *, deadline_s: float) -> Reply:
        reply = await super().complete(request, deadline_s=deadline_s)
        with self._file.open("a") as paid:
            paid.write(".")
        return reply


def work(url: str, run_id: str, kind: str, paid: Path) -> str:
    """Take a run that may have been left by a dead worker, and drive it to its end. Returns its status."""
    return _drive(url, run_id, kind, paid, lambda _: None)


def die_at_commit(url: str, run_id: str, kind: str, paid: Path, at: int, moment: Moment) -> None:
    """Drive a run and be gone at the at-th commit (from 1) of the whole process, SIGKILL, nothing cleaned up."""
    commits = 0

    def count(connection: Connection) -> None:
        nonlocal commits
        commits += 1
        if commits == at:
            if moment == "after":
                driver: Any = connection.connection.dbapi_connection
                driver.commit()
            os.kill(os.getpid(), signal.SIGKILL)

    _drive(url, run_id, kind, paid, lambda database: event.listen(database.engine, "commit", count))


def _drive(url: str, run_id: str, kind: str, paid: Path, prepare: Callable[[Database], None]) -> str:
    with Database(url) as database:
        _let_the_lease_end(database, run_id)
        prepare(database)
        llm = CountingLLM(small(kind).rule, paid)
        return drive(run_id, database=database, open_llm=lambda: llm, owner="test", lease_s=5)


def _let_the_lease_end(database: Database, run_id: str) -> None:
    with database.engine.begin() as connection:
        connection.execute(update(Run).where(Run.id == run_id).values(lease_until=0.0))
