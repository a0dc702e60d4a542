"""A backup is a whole database, made while others write, and a run goes on from it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.store.backup import backup
from app.store.database import Database
from app.store.models import Event
from app.store.schema import Unusable
from tests.store.worlds import add_run


@pytest.fixture
def live(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path}/app.db")
    database.upgrade()
    add_run(database)
    return database


def tell(database: Database, name: str) -> None:
    with database.session() as session:
        session.add(Event(run_id="run1", name=name, data={}))
        session.commit()


def events(database: Database) -> int:
    with database.session() as session:
        return session.scalar(select(func.count()).select_from(Event)) or 0


def test_a_copy_holds_everything_that_was_committed_before_it(live: Database, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            tell(live, "x")

    writing = threading.Thread(target=write)
    writing.start()
    sizes = []
    for number in range(5):
        before = events(live)
        assert backup(live, tmp_path / f"copy{number}.db") > 0
        after = events(live)
        with Database(f"sqlite:///{tmp_path}/copy{number}.db") as copy:
            copy.check(thorough=True)
            assert before <= events(copy) <= after
            sizes.append(events(copy))
    stop.set()
    writing.join()
    assert sizes == sorted(sizes)
    assert not list(tmp_path.glob("*.part"))


def test_a_copy_can_be_put_in_place_and_written_at_once(live: Database, tmp_path: Path) -> None:
    tell(live, "kept")
    backup(live, tmp_path / "copy.db")
    tell(live, "later")
    live.close()
    for suffix in ("", "-wal", "-shm"):
        (tmp_path / f"app.db{suffix}").unlink(missing_ok=True)
    (tmp_path / "copy.db").rename(tmp_path / "app.db")
    with Database(f"sqlite:///{tmp_path}/app.db") as database:
        database.check(thorough=True)
        with database.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        tell(database, "new")
        assert events(database) == 2


def test_nothing_is_overwritten(live: Database, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("precious")
    with pytest.raises(Unusable, match="exists already; choose another name"):
        backup(live, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "precious"


def test_what_cannot_be_written_is_said_and_leaves_nothing(live: Database, tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="could not be written"):
        backup(live, tmp_path / "nowhere" / "copy.db")
    assert not list(tmp_path.glob("*.part"))


def test_postgresql_has_its_own_tool() -> None:
    with pytest.raises(Unusable, match="pg_dump"):
        backup(Database("postgresql://x@127.0.0.1:1/x"), Path("copy.db"))


def test_there_must_be_a_database(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="there is no database"):
        backup(Database(f"sqlite:///{tmp_path}/app.db"), tmp_path / "copy.db")
