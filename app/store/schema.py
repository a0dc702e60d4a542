"""The tables come from the migrations alone, under a lock; a database that does not fit this code is refused in words."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from app.store.outage import reason

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

_LOCK_NUMBER = 7_243_392_001
"""PostgreSQL's advisory locks are numbers; this one is ours."""
_QUICK_BYTES = 256 * 2**20
"""SQLite files up to this size are read through at every start; that takes about a second."""


class Unusable(Exception):
    """The database cannot be used; the message says why and what to do, without any password."""


def upgrade(engine: Engine, file: Path | None) -> None:
    """Run the missing migrations; see Database.upgrade."""
    with _in_words(engine), _locked(engine, file) as connection:
        if file:
            _use_write_ahead_log(connection)
        _refuse_newer(connection)
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check(engine: Engine, file: Path | None, *, thorough: bool) -> None:
    """Refuse what cannot be used; see Database.check."""
    if file and not file.is_file():
        raise Unusable(f"there is no database at {file}; run `whetstone migrate` to create it")
    with _in_words(engine), engine.connect() as connection:
        if file and (thorough or file.stat().st_size <= _QUICK_BYTES):
            _refuse_damage(connection, file)
        _refuse_newer(connection)
        if (found := _revision(connection)) != _head():
            state = f"is at revision {found}" if found else "has no tables yet"
            raise Unusable(f"the database {state}, this version needs {_head()}; run `whetstone migrate`")
        if thorough:
            _refuse_unwritable(connection)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))


def _head() -> str | None:
    return _scripts().get_current_head()


def _refuse_newer(connection: Connection) -> None:
    found = _revision(connection)
    if found and found not in {script.revision for script in _scripts().walk_revisions()}:
        raise Unusable(
            f"the database was made by a newer version of Whetstone (revision {found} is unknown here); "
            "update Whetstone, or restore a backup made by this version"
        )


def _refuse_damage(connection: Connection, file: Path) -> None:
    first = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
    if first != "ok":
        raise Unusable(f"the database {file} is damaged ({first}); restore a backup")


def _refuse_unwritable(connection: Connection) -> None:
    """Write something that changes nothing."""
    connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
    connection.rollback()


def _use_write_ahead_log(connection: Connection) -> None:
    mode = connection.execute(text("PRAGMA journal_mode = WAL")).scalar_one()
    if mode != "wal":
        raise Unusable(f"SQLite cannot keep a write-ahead log here (it uses {mode}); put the database on a local disk")


@contextmanager
def _locked(engine: Engine, file: Path | None) -> Iterator[Connection]:
    """A connection while nobody else migrates."""
    if file is None:
        with engine.connect() as connection:
            # Whoever migrates may take longer than the usual wait for a lock.
            connection.execute(text("SET lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": _LOCK_NUMBER})
            connection.commit()
            try:
                yield connection
            finally:
                # Closing the connection for good frees the lock, whatever state a failed migration left it in.
                connection.invalidate()
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_name(file.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with engine.connect() as connection:
            yield connection


@contextmanager
def _in_words(engine: Engine) -> Iterator[None]:
    where = engine.url.render_as_string(hide_password=True)
    try:
        yield
    except CommandError as error:
        raise Unusable(f"the migrations do not fit together: {error}") from error
    except DatabaseError as error:
        raise Unusable(_explain(where, error)) from error
    except SQLAlchemyError as error:
        raise Unusable(f"the database {where} does not answer: {error}") from error
    except OSError as error:
        raise Unusable(f"the database {where} cannot be opened: {error.strerror or error}") from error


def _explain(where: str, error: DatabaseError) -> str:
    said = str(error.orig).strip().partition("\n")[0]
    if isinstance(error.orig, sqlite3.DatabaseError) and ("not a database" in said or "malformed" in said):
        return f"the file of the database {where} is damaged or no SQLite database ({said}); restore a backup"
    return f"the database {where} cannot be used: {reason(error)}"
