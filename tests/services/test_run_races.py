"""What two people do to a run at the same moment happens once; the other one is told how things stand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.services import runs
from app.services.errors import NotFound
from app.store.database import Database
from tests.services.run_world import RUN, add_examples, add_run, train


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    """Both databases: each has its own way to lock a row."""
    with Database(migrated_url) as database:
        yield database


def test_of_many_who_delete_a_run_at_the_same_moment_one_does(database: Database) -> None:
    add_run(database)
    add_examples(database)
    train(database)
    at_once = threading.Barrier(4)

    def delete() -> bool:
        with database.session() as session:
            runs.get(session, RUN)
            session.rollback()
            at_once.wait()
            try:
                runs.delete(session, RUN)
            except NotFound:
                return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(lambda _: delete(), range(4))) == [False, False, False, True]
