"""Databases as earlier releases left them: the tables by that release's migrations, the rows from a file that never changes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from app.store.database import Database
from app.store.schema import MIGRATIONS

FOLDER = Path(__file__).with_name("releases")
RUN = "release1"
"""The run in every release's file: killed in the middle."""


def put_release(database: Database, revision: str) -> None:
    """Fill an empty database with what the release at this revision left."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    rows = (FOLDER / f"{revision}.sql").read_text("utf-8")
    if database.file:
        with sqlite3.connect(database.file) as sqlite:
            sqlite.executescript(rows)
        sqlite.close()
        return
    address = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as postgres:
        postgres.execute(rows.encode())
    _advance_row_ids(database)


def _advance_row_ids(database: Database) -> None:
    query = (
        "SELECT table_name FROM information_schema.columns WHERE column_name = 'id' AND column_default LIKE 'nextval%'"
    )
    with database.engine.begin() as connection:
        for table in connection.execute(text(query)).scalars().all():
            most = f"(SELECT coalesce(max(id), 1) FROM {table})"
            connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {most})"))
