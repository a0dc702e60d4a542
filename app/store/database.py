"""The one place that opens the database; readers never wait there, and writers wait their turn.

SQLite: write-ahead log; a transaction starts with BEGIN IMMEDIATE at its first write or SELECT ... FOR UPDATE, so that it
never fails in the middle because another one wrote; reads before that see what is committed, as they do in PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor, ExecutionContext
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from app.store import schema
from app.store.types import dumps

_READS = frozenset({"SELECT", "PRAGMA", "EXPLAIN", "VALUES", "WITH", "BEGIN"})


class Database:
    """The engine of one database and sessions on it.

    url: ``sqlite:///relative/path.db``, ``sqlite:////absolute/path.db`` or ``postgresql://user:password@host/name``.
    busy_s: seconds to wait for another writer before a write fails.
    Raises: Unusable when the address names anything else.
    """

    def __init__(self, url: str, *, busy_s: float = 30.0) -> None:
        parsed = _parse(url)
        self.engine = (_sqlite if parsed.get_backend_name() == "sqlite" else _postgres)(parsed, busy_s)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_sqlite(self) -> bool:
        """True for SQLite, False for PostgreSQL."""
        return self.engine.dialect.name == "sqlite"

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database; None for PostgreSQL."""
        return Path(self.engine.url.database or "") if self.is_sqlite else None

    @property
    def title(self) -> str:
        """The address, fit for a page: without the password."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that is closed afterwards. What was not committed is rolled back."""
        with self._sessions() as session:
            yield session

    def upgrade(self) -> None:
        """Bring the tables to what this code needs, creating the database file when there is none.

        Safe to call from any number of processes at once. Raises: Unusable.
        """
        schema.upgrade(self.engine, self.file)

    def check(self, *, thorough: bool = False) -> None:
        """Raise Unusable, in words, when the database is missing, damaged, or not made for this code.

        thorough: read the whole of an SQLite file, however large, and try to write.
        """
        schema.check(self.engine, self.file, thorough=thorough)

    def close(self) -> None:
        """Close the pooled connections; the next use opens new ones."""
        self.engine.dispose()


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise schema.Unusable("the database address is not a URL such as sqlite:///data/app.db") from None
    backend = parsed.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise schema.Unusable(f"the database must be SQLite or PostgreSQL, not {backend}")
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise schema.Unusable("an SQLite database needs a file: one in memory cannot be shared by web and worker")
    return parsed


def _postgres(url: URL, busy_s: float) -> Engine:
    busy_ms = int(busy_s * 1000)
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        json_serializer=dumps,
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=20,
        connect_args={
            "connect_timeout": 10,
            # A server that vanished without a word is noticed within half a minute.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            # A worker that was stopped in the middle of a transaction must not keep the run from the next one.
            "options": f"-c lock_timeout={busy_ms} -c idle_in_transaction_session_timeout=30000",
        },
    )


def _sqlite(url: URL, busy_s: float) -> Engine:
    engine = create_engine(
        url,
        json_serializer=dumps,
        pool_size=5,
        max_overflow=20,
        # isolation_level None: the driver begins no transactions by itself; _begin_writes does.
        connect_args={"timeout": busy_s, "isolation_level": None},
    )
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "before_cursor_execute", _begin_writes)
    return engine


def _set_pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    # FULL: an answer that was paid for is on the disk when the journal says so, even if the power fails. NORMAL would
    # save one fsync per commit, and group commit already makes those few.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _begin_writes(
    connection: Connection,
    cursor: DBAPICursor,
    statement: str,
    _parameters: Any,
    context: ExecutionContext | None,
    _executemany: bool,
) -> None:
    driver = connection.connection.dbapi_connection
    if driver is not None and not driver.in_transaction and _writes(statement, context):
        cursor.execute("BEGIN IMMEDIATE")


def _writes(statement: str, context: ExecutionContext | None) -> bool:
    if statement.split(None, 1)[0].upper() not in _READS:
        return True
    compiled = getattr(context, "compiled", None)
    return getattr(getattr(compiled, "statement", None), "_for_update_arg", None) is not None
