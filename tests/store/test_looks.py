"""Looks at hidden splits are counted over all runs and versions of a dataset, and outlive the runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from app.services import datasets
from app.store import claims
from app.store.database import Database
from app.store.journal import SqlJournal
from app.store.models import Dataset, Look, Run
from tests.store.worlds import add_run


class Looking:
    """Runs on datasets, and their journals."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.journals: list[SqlJournal] = []

    def dataset(self, name: str, root_id: int | None = None) -> int:
        with self.database.session() as session:
            made = Dataset(name=name, digest="d", source="s", rows=9, report={}, statistics={}, root_id=root_id)
            session.add(made)
            session.commit()
            return made.id

    def run(self, run_id: str, dataset_id: int) -> SqlJournal:
        add_run(self.database, run_id)
        with self.database.session() as session:
            session.execute(update(Run).where(Run.id == run_id).values(dataset_id=dataset_id))
            session.commit()
        claim = claims.claim(self.database, run_id, "a worker")
        assert claim is not None
        self.journals.append(SqlJournal(self.database, claim))
        return self.journals[-1]


@pytest.fixture
def looking(database: Database) -> Iterator[Looking]:
    looking = Looking(database)
    yield looking
    for journal in looking.journals:
        journal.stop()


async def test_runs_are_numbered_in_the_order_in_which_they_first_looked(looking: Looking) -> None:
    dataset = looking.dataset("bank")
    first, second = looking.run("run1", dataset), looking.run("run2", dataset)
    assert await second.look("test", ["a", "b"]) == 1
    assert await first.look("test", ["a", "c"]) == 2
    assert await second.look("test", ["a", "d"]) == 1
    assert await first.look("validation", ["a"]) == 1


async def test_versions_of_a_dataset_share_their_looks_and_other_datasets_do_not(looking: Looking) -> None:
    root, other = looking.dataset("bank"), looking.dataset("other")
    corrected = looking.dataset("bank v2", root_id=root)
    assert await looking.run("run1", root).look("test", ["a"]) == 1
    assert await looking.run("run2", corrected).look("test", ["a"]) == 2
    assert await looking.run("run3", other).look("test", ["a"]) == 1
    with looking.database.session() as session:
        for dataset_id, runs in ((root, 2), (corrected, 2), (other, 1)):
            found = datasets.looks(session, session.get_one(Dataset, dataset_id))
            assert (found["test"].runs, found["test"].candidates) == (runs, runs)
            assert found["test"].last_at is not None
            assert found["validation"] == datasets.Looks(0, 0, None)


async def test_what_was_seen_stays_seen_when_the_run_is_deleted(looking: Looking) -> None:
    dataset = looking.dataset("bank")
    await looking.run("run1", dataset).look("test", ["a"])
    with looking.database.session() as session:
        session.delete(session.get_one(Run, "run1"))
        session.commit()
        assert session.scalars(select(Look.run_id)).all() == ["run1"]
    assert await looking.run("run2", dataset).look("test", ["a"]) == 2
