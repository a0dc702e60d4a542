"""A copy of an SQLite database as it is at one moment, made while runs go on writing."""

from __future__ import annotations

import os
import secrets
import sqlite3
from pathlib import Path

from app.store.database import Database
from app.store.outage import reason
from app.store.schema import Unusable


def backup(database: Database, target: Path) -> int:
    """Copy the database to a new file, which is whole and on the disk when it has its name. Returns its size in bytes.

    Raises: Unusable, and there is no new file, when the database is not SQLite or cannot be copied, or when the file exists.
    """
    if database.file is None:
        raise Unusable("`whetstone backup` copies SQLite databases; use pg_dump for PostgreSQL")
    database.check()
    if target.exists():
        raise Unusable(f"{target} exists already; choose another name, so that no backup is overwritten")
    draft = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        _copy(database.file, draft)
        os.link(draft, target)
        _sync(target)
        _sync(target.resolve().parent)
        return target.stat().st_size
    except (OSError, sqlite3.Error) as error:
        raise Unusable(f"the backup {target} could not be written: {reason(error)}") from error
    finally:
        draft.unlink(missing_ok=True)


def _copy(source: Path, draft: Path) -> None:
    connection = sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)
    try:
        connection.execute("VACUUM INTO ?", (str(draft),))
    finally:
        connection.close()
    copy = sqlite3.connect(draft)
    try:
        copy.execute("PRAGMA journal_mode = WAL")
        first = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    finally:
        copy.close()
    if first != "ok":
        raise sqlite3.DatabaseError(f"the copy is damaged: {first}")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
