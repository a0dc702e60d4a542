"""One thread commits whatever is queued, at once and in order; who must know that it is durable waits for that commit.

Under load many writes share a commit by themselves: while one is under way, the next ones gather.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Connection

from app.ports.journal import JournalError, JournalUnavailable, LeaseLost, Wish
from app.store.claims import Claim, guard, renew
from app.store.database import Database
from app.store.outage import Patience, is_away, reason
from app.store.rows import Write
from app.store.spool import Spool
from app.store.statements import apply
from app.store.unwritten import Unwritten

WRITE_BEHIND_S = 0.05
"""Longest time that a write which nobody waits for is kept back, so that it shares a commit with others."""
GATHER_S = 0.001
"""Time for companions to join a commit that somebody waits for. It halves a worker's CPU at 64 calls under way."""
SAVE_AFTER_S = 2.0
"""Time for the last commit before paid answers are spooled besides: whoever ends this process may not wait longer."""
STOP_WITHIN_S = 60.0
"""Longest time that stop() waits for the last commit; a database that is away takes that long to say so."""

logger = logging.getLogger(__name__)

T = TypeVar("T")
Reader: TypeAlias = Callable[[Connection, str, Sequence[str]], dict[str, T]]
"""Reads rows of one run by their keys."""
Query: TypeAlias = Callable[[Connection, str], T]
"""Reads something about one run."""
Answer: TypeAlias = tuple["asyncio.Future[Any]", object]
"""A future and what it gets: a value, or the JournalError that it raises."""


@dataclass
class Batch:
    """What has been asked of the writer since it last looked."""

    writes: list[Write] = field(default_factory=list)
    flushes: list[asyncio.Future[None]] = field(default_factory=list)
    beats: list[asyncio.Future[Wish]] = field(default_factory=list)
    lookups: list[tuple[Reader[Any], Sequence[str], asyncio.Future[Any]]] = field(default_factory=list)
    queries: list[tuple[Query[Any], asyncio.Future[Any]]] = field(default_factory=list)

    @property
    def commits(self) -> bool:
        """True when the claim has to be checked, because of a write or because somebody wants to know."""
        return bool(self.writes or self.flushes or self.beats)

    def join(self, later: Batch) -> None:
        """Serve what came later together with this."""
        self.writes += later.writes
        self.flushes += later.flushes
        self.beats += later.beats
        self.lookups += later.lookups
        self.queries += later.queries

    @property
    def waiting(self) -> list[asyncio.Future[Any]]:
        """All who wait for an answer."""
        readers = [future for *_, future in self.lookups] + [future for _, future in self.queries]
        return [*self.flushes, *self.beats, *readers]


class Writer:
    """The writer thread of one claim. Everything but hurry() and stop() is called from one event loop.

    spool: where paid answers wait while the store is away; None keeps them in memory only. patience_s: how long a store that
    does not answer is waited for, while whoever asked waits too, before JournalUnavailable is raised.
    """

    def __init__(self, database: Database, claim: Claim, spool: Spool | None = None, patience_s: float = 0.0) -> None:
        self._engine = database.engine
        self._claim = claim
        self._patience = Patience(patience_s)
        self._next = Batch()
        self._kept = Unwritten(claim.run_id, spool)
        self._broken: JournalError | None = None
        self._stopping = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"journal-{claim.run_id}", daemon=True)
        self._thread.start()

    def write(self, write: Write) -> None:
        """Queue a write that nobody waits for."""
        with self._changed:
            self._next.writes.append(write)
            if len(self._next.writes) == 1:
                self._changed.notify()

    async def flush(self, write: Write | None = None) -> None:
        """Return when every earlier write, and this one, is durable."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._changed:
            if write is not None:
                self._next.writes.append(write)
            self._next.flushes.append(future)
            self._changed.notify()
        await future

    async def beat(self) -> Wish:
        """Renew the lease."""
        future: asyncio.Future[Wish] = asyncio.get_running_loop().create_future()
        with self._changed:
            self._next.beats.append(future)
            self._changed.notify()
        return await future

    async def look_up(self, reader: Reader[T], keys: Sequence[str]) -> dict[str, T]:
        """What is on record under these keys, earlier writes included."""
        future: asyncio.Future[dict[str, T]] = asyncio.get_running_loop().create_future()
        with self._changed:
            self._next.lookups.append((reader, keys, future))
            self._changed.notify()
        return await future

    async def ask(self, query: Query[T]) -> T:
        """The answer to a query, earlier writes included."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._changed:
            self._next.queries.append((query, future))
            self._changed.notify()
        return await future

    def hurry(self) -> None:
        """Wait for no store any more: this process is about to end."""
        self._patience.end()
        self._save()

    def stop(self) -> None:
        """Commit what is queued and end the thread. Paid answers that cannot be committed any more are spooled."""
        self._patience.end()
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(SAVE_AFTER_S)
        if self._thread.is_alive():
            self._save()
            self._thread.join(STOP_WITHIN_S)
        if not (self._kept.writes or self._next.writes):
            self._kept.clear()
        elif isinstance(self._broken, LeaseLost):
            self._kept.close()
        else:
            self._kept.leave(self._next.writes)

    def _run(self) -> None:
        while (batch := self._take()) is not None:
            self._serve(batch)
        if self._kept.writes and not self._broken:
            self._serve(Batch())  # the store may have come back since

    def _take(self) -> Batch | None:
        """Everything queued, once somebody waits for it or the oldest write has waited long enough; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._next.writes or self._next.waiting or self._stopping)
            self._changed.wait_for(lambda: self._next.waiting or self._stopping, WRITE_BEHIND_S)
        time.sleep(GATHER_S)
        with self._changed:
            batch, self._next = self._next, Batch()
            ended = self._stopping and not (batch.writes or batch.waiting)
            return None if ended else batch

    def _serve(self, batch: Batch) -> None:
        self._kept.add(batch.writes)
        while True:
            try:
                answers = self._commit(batch) + self._read(batch)
            except Exception as error:  # noqa: BLE001 - the thread's door: whatever it was, those who wait must hear of it
                failure = self._failure(error)
                self._save()
                if isinstance(failure, JournalUnavailable) and self._waited(batch):
                    continue
                self._kept.refuse_intents()
                self._save()
                answers = [(future, failure) for future in batch.waiting]
            else:
                self._answered()
            return _deliver(answers)

    def _waited(self, batch: Batch) -> bool:
        """Wait a little for a store that is away, taking in what is asked meanwhile. False when it is time to give up."""
        pause = self._patience.pause_s()
        with self._changed:
            if self._stopping or not pause:
                return False
            self._changed.wait_for(lambda: self._stopping, pause)
            later, self._next = self._next, Batch()
        self._kept.add(later.writes)
        batch.join(later)
        self._save()
        return True

    def _save(self) -> None:
        """Spool paid answers that are not on record, unless the lease is lost: then another worker decides."""
        if not isinstance(self._broken, LeaseLost):
            with self._changed:
                self._kept.save(self._next.writes)

    def _answered(self) -> None:
        if away_s := self._patience.waited_s:
            logger.warning("run %s: the store answers again, after %.1f s", self._claim.run_id, away_s)
            self._patience.answered()
            self._kept.clear()

    def _commit(self, batch: Batch) -> list[Answer]:
        if self._broken:
            raise self._broken
        wish: Wish = ""
        if batch.commits or self._kept.writes:
            with self._engine.begin() as connection:
                if batch.beats:
                    wish = renew(connection, self._claim)
                else:
                    guard(connection, self._claim)
                apply(connection, self._kept.writes)
            self._kept.committed()
        return [*((future, None) for future in batch.flushes), *((future, wish) for future in batch.beats)]

    def _read(self, batch: Batch) -> list[Answer]:
        if not (batch.lookups or batch.queries):
            return []
        run_id = self._claim.run_id
        wanted: dict[Reader[Any], dict[str, None]] = {}
        for reader, keys, _ in batch.lookups:
            wanted.setdefault(reader, {}).update(dict.fromkeys(keys))
        with self._engine.connect() as connection:
            found = {reader: reader(connection, run_id, list(keys)) for reader, keys in wanted.items()}
            answers: list[Answer] = [(future, query(connection, run_id)) for query, future in batch.queries]
        for reader, keys, future in batch.lookups:
            answers.append((future, {key: found[reader][key] for key in keys if key in found[reader]}))
        return answers

    def _failure(self, error: Exception) -> JournalError:
        if is_away(error):
            words = reason(error)
            if not self._patience.waited_s:
                logger.warning("run %s: the store does not answer, so nothing is bought: %s", self._claim.run_id, words)
            return JournalUnavailable(f"the store does not answer: {words}")
        if not isinstance(error, JournalError):
            logger.error("run %s: the journal cannot go on", self._claim.run_id, exc_info=error)
            error = JournalError(f"the journal cannot go on: {reason(error)}")
        self._broken = error
        return error


def _deliver(answers: list[Answer]) -> None:
    if answers:
        # The loop may have ended meanwhile; then nobody waits any more.
        with suppress(RuntimeError):
            answers[0][0].get_loop().call_soon_threadsafe(_settle, answers)


def _settle(answers: list[Answer]) -> None:
    for future, value in answers:
        if future.done():
            continue
        if isinstance(value, JournalError):
            # One instance each: several tasks raising the same one would share its traceback.
            future.set_exception(type(value)(*value.args))
        else:
            future.set_result(value)
