"""The database is made by migrations alone, by anybody at once, and refused in words when it cannot be used."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text

from app.store.database import Database
from app.store.models import Base, Dataset, Event, Run
from app.store.schema import Unusable
from tests.store.processes import context, run_together, upgrade


def run(run_id: str = "run1") -> Run:
    return Run(id=run_id, kind="train", name="Run", status="queued", spec={}, simulated=True)


def test_the_migrated_tables_are_those_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": database.is_sqlite}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    with database.session() as session:
        session.add(run())
        session.commit()
    database.upgrade()
    database.check(thorough=True)
    with database.session() as session:
        assert session.get(Run, "run1") is not None


def test_eight_first_starts_at_once(url: str) -> None:
    start, failures = context().Barrier(8), context().SimpleQueue()
    run_together([context().Process(target=upgrade, args=(url, start, failures)) for _ in range(8)])
    assert failures.empty(), failures.get()
    with Database(url) as database:
        database.check()


def test_sqlite_survives_power_failures_and_keeps_references(tmp_path: Path) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    with Database(f"sqlite:///{tmp_path}/app.db") as database:
        database.upgrade()
        with database.engine.connect() as connection:
            settings = {name: connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in names}
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_writers_that_read_first_never_collide(database: Database) -> None:
    with database.session() as session:
        session.add(run())
        session.commit()

    def write(number: int) -> None:
        for step in range(15):
            with database.session() as session:
                found = session.scalars(select(Run)).one()
                session.add(Event(run_id=found.id, name=f"{number}/{step}", data={}))
                session.commit()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))
    with database.session() as session:
        assert len(session.scalars(select(Event)).all()) == 8 * 15


def test_reading_for_update_keeps_others_out_until_the_end(database: Database) -> None:
    with database.session() as session:
        session.add(run())
        session.commit()

    def count_up(_: int) -> None:
        for _ in range(20):
            with database.session() as session:
                found = session.scalars(select(Run).with_for_update()).one()
                found.fence += 1
                session.commit()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count_up, range(4)))
    with database.session() as session:
        assert session.get_one(Run, "run1").fence == 80


def test_what_was_not_committed_is_rolled_back(database: Database) -> None:
    with database.session() as session:
        session.add(run())
        session.flush()
    with database.session() as session:
        assert session.get(Run, "run1") is None


def test_values_come_back_the_same_from_both(database: Database) -> None:
    with database.session() as session:
        session.add(run())
        name = "a\x00b\ud800"
        session.add(
            Dataset(name=name, digest="", source="nul\x00", rows=0, report={"z": 1e22, "a": "\x00"}, statistics={})
        )
        session.commit()
    with database.session() as session:
        dataset = session.scalars(select(Dataset).where(Dataset.name == name)).one()
        assert (dataset.name, dataset.source) == ("a\ufffdb\ufffd", "nul\ufffd")
        assert repr(dataset.report) == repr({"z": 1e22, "a": "\ufffd"})
        created = session.get_one(Run, "run1").created_at
        assert created.utcoffset() is not None
        assert session.scalars(select(Run.id).where(Run.created_at == created)).all() == ["run1"]


def test_a_database_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"there is no database at .*app\.db; run `whetstone migrate`"):
        Database(f"sqlite:///{tmp_path}/app.db").check()
    assert not (tmp_path / "app.db").exists()


def test_a_database_without_tables_is_said(url: str) -> None:
    with Database(url) as database:
        if database.file:
            database.file.touch()
        with pytest.raises(Unusable, match=r"has no tables yet, this version needs .*; run `whetstone migrate`"):
            database.check()


def test_a_newer_database_is_left_alone(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for attempt in (database.check, database.upgrade):
        with pytest.raises(Unusable, match="newer version of Whetstone"):
            attempt()


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "app.db").write_bytes(b"this is a letter, not a database. " * 100)
    for attempt in (Database(f"sqlite:///{tmp_path}/app.db").check, Database(f"sqlite:///{tmp_path}/app.db").upgrade):
        with pytest.raises(Unusable, match="damaged or no SQLite database"):
            attempt()


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path}/app.db") as database:
        database.upgrade()
    with sqlite3.connect(tmp_path / "app.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray((tmp_path / "app.db").read_bytes())
    content[4096 * 3 : 4096 * 6] = b"\xff" * 4096 * 3
    (tmp_path / "app.db").write_bytes(content)
    with pytest.raises(Unusable, match="damaged"):
        Database(f"sqlite:///{tmp_path}/app.db").check()


def test_a_server_that_is_away_is_said_without_the_password() -> None:
    database = Database("postgresql://whetstone:hunter2@127.0.0.1:1/whetstone")
    with pytest.raises(Unusable) as refusal:
        database.check()
    assert "127.0.0.1:1" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)
    assert "hunter2" not in database.title


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "not a URL"),
        ("mysql://localhost/x", "must be SQLite or PostgreSQL, not mysql"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
    ],
)
def test_addresses_of_something_else_are_refused(url: str, words: str) -> None:
    with pytest.raises(Unusable, match=words):
        Database(url)
