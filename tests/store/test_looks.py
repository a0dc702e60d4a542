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


async def compare(journal: SqlJournal, *candidates: str) -> int:
    journal.look("test", candidates)
    return await journal.comparison("test")


async def test_comparisons_are_numbered_in_the_order_in_which_they_were_first_made(looking: Looking) -> None:
    dataset = looking.dataset("bank")
    first, second = looking.run("run1", dataset), looking.run("run2", dataset)
    assert await compare(second, "a", "b") == 1
    assert await compare(first, "a", "c") == 2
    assert await compare(second, "a", "b") == 1  # and told again, it is the same
    first.look("validation", ["d", "e"])
    assert await first.comparison("test") == 2


async def test_the_same_comparison_again_is_no_further_look(looking: Looking) -> None:
    dataset = looking.dataset("bank")
    assert await compare(looking.run("run1", dataset), "a", "b") == 1
    assert await compare(looking.run("run2", dataset), "a", "c") == 2
    assert await compare(looking.run("run3", dataset), "b", "a") == 1
    assert await compare(looking.run("run4", dataset), "a", "c") == 2
    assert await compare(looking.run("run5", dataset), "a", "d") == 3


async def test_a_run_that_compared_nothing_costs_the_others_nothing(looking: Looking) -> None:
    dataset = looking.dataset("bank")
    assert await compare(looking.run("run1", dataset), "a") == 1
    assert await compare(looking.run("run2", dataset), "a", "b") == 1
    assert await looking.run("run3", dataset).comparison("test") == 1


async def test_versions_of_a_dataset_share_their_looks_and_other_datasets_do_not(looking: Looking) -> None:
    root, other = looking.dataset("bank"), looking.dataset("other")
    corrected = looking.dataset("bank v2", root_id=root)
    assert await compare(looking.run("run1", root), "a", "b") == 1
    assert await compare(looking.run("run2", corrected), "a", "c") == 2
    third = looking.run("run3", other)
    assert await compare(third, "a", "b") == 1
    third.look("validation", ["a", "b", "c"])
    await third.flush()
    with looking.database.session() as session:
        found = [datasets.looks(session, session.get_one(Dataset, one)) for one in (root, corrected, other)]
    assert found == [datasets.Looks(0, 2, 2), datasets.Looks(0, 2, 2), datasets.Looks(3, 1, 1)]


async def test_what_was_seen_stays_seen_when_the_run_is_deleted(looking: Looking) -> None:
    dataset = looking.dataset("bank")
    await compare(looking.run("run1", dataset), "a", "b")
    with looking.database.session() as session:
        session.delete(session.get_one(Run, "run1"))
        session.commit()
        assert session.scalars(select(Look.candidate).order_by(Look.candidate)).all() == ["a", "b"]
    assert await compare(looking.run("run2", dataset), "a", "c") == 2
