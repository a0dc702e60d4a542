"""One run with a store around it, as the contract tests see it: claim it again, be its user, take the store away."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import psycopg
from sqlalchemy import select, update

from app.ports.journal import Journal, Wish
from app.ports.llm import Json
from app.store import claims
from app.store.database import Database
from app.store.journal import SqlJournal
from app.store.memory import MemoryRecord
from app.store.models import Event, Run

Told = tuple[int | None, str, Json]


class World(Protocol):
    """A run and what keeps it."""

    def claim(self) -> Journal:
        """The journal of the next worker."""
        ...

    def events(self) -> list[Told]:
        """Everything noted and told so far, in order."""
        ...

    def wish(self, wish: Wish) -> None:
        """Ask something of the worker."""
        ...

    def away(self) -> AbstractContextManager[None]:
        """Nobody reaches the store meanwhile."""
        ...

    def close(self) -> None:
        """Release everything."""
        ...


class MemoryWorld:
    """A run in memory."""

    def __init__(self) -> None:
        self.record = MemoryRecord()

    def claim(self) -> Journal:
        return self.record.claim()

    def events(self) -> list[Told]:
        return [tuple(event) for event in self.record.events]

    def wish(self, wish: Wish) -> None:
        self.record.wish = wish

    @contextmanager
    def away(self) -> Iterator[None]:
        self.record.away = True
        yield
        self.record.away = False

    def close(self) -> None:
        """Nothing to release."""


class SqlWorld:
    """A run in a database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.run_id = add_run(database)
        self.journals: list[SqlJournal] = []

    def claim(self) -> Journal:
        expire(self.database, self.run_id)
        claim = claims.claim(self.database, self.run_id, "a worker")
        assert claim is not None
        self.journals.append(SqlJournal(self.database, claim))
        return self.journals[-1]

    def events(self) -> list[Told]:
        query = select(Event.note, Event.name, Event.data).where(Event.run_id == self.run_id, Event.name != "status")
        with self.database.session() as session:
            return [(row.note, row.name, row.data) for row in session.execute(query.order_by(Event.id))]

    def wish(self, wish: Wish) -> None:
        with self.database.session() as session:
            session.execute(update(Run).values(wish=wish))
            session.commit()

    @contextmanager
    def away(self) -> Iterator[None]:
        with away(self.database):
            yield

    def close(self) -> None:
        for journal in self.journals:
            journal.stop()


def add_run(database: Database, run_id: str = "run1") -> str:
    """A queued run."""
    with database.session() as session:
        session.add(Run(id=run_id, kind="train", name="A run", status="queued", spec={}, simulated=True))
        session.commit()
    return run_id


def expire(database: Database, run_id: str) -> None:
    """Let the lease of a run's worker be over, as if the worker had stopped long ago."""
    with database.session() as session:
        session.execute(update(Run).where(Run.id == run_id).values(lease_until=1.0))
        session.commit()


@contextmanager
def away(database: Database) -> Iterator[None]:
    """Nobody can write meanwhile: SQLite is locked, PostgreSQL lets nobody in."""
    if database.file:
        lock = sqlite3.connect(database.file, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        yield
        lock.close()
        return
    name = database.engine.url.database
    address = database.engine.url.set(drivername="postgresql", database="postgres")
    with psycopg.connect(address.render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
