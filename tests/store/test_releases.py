"""A database of each earlier release is brought up to date by any number of starts, and its runs go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from app.ports.llm import Json
from app.store.database import Database
from app.store.models import CallRow, Run, SampleRow
from app.store.schema import Unusable
from tests.services.killed_worker import work
from tests.services.test_drive import CONCURRENCY, queue, record
from tests.store.processes import context, run_together, upgrade
from tests.store.releases import FOLDER, RUN, put_release

NOTED_SINCE = {"repeats", "level"}
RELEASES = sorted(file.stem for file in FOLDER.glob("*.sql"))


@pytest.fixture(params=RELEASES)
def old(request: pytest.FixtureRequest, url: str) -> str:
    """Address of a database as that release left it."""
    with Database(url) as database:
        put_release(database, request.param)
    return url


def test_an_old_database_is_refused_in_words_until_it_is_migrated(old: str) -> None:
    with Database(old) as database:
        with pytest.raises(Unusable, match=r"is at revision \d+, this version needs \d+; run `whetstone migrate`"):
            database.check()
        database.upgrade()
        database.check(thorough=True)


def test_eight_starts_at_once_migrate_it_and_lose_nothing(old: str) -> None:
    start, failures = context().Barrier(8), context().SimpleQueue()
    run_together([context().Process(target=upgrade, args=(old, start, failures)) for _ in range(8)])
    assert failures.empty(), failures.get()
    with Database(old) as database, database.session() as session:
        counts = [session.scalar(select(func.count()).select_from(table)) for table in (Run, CallRow, SampleRow)]
        assert counts == [1, 33, 28]
        run = session.get_one(Run, RUN)
        assert (run.status, run.resume_at, run.outages) == ("running", 0.0, 0)
        assert not any(call.cached or call.cache_key for call in session.scalars(select(CallRow)))


def without_news(recorded: str) -> Json:
    """What a run has on record, without what earlier releases did not note."""

    def old(value: Json) -> Json:
        if isinstance(value, dict):
            return {key: old(one) for key, one in value.items() if key not in NOTED_SINCE}
        return [old(one) for one in value] if isinstance(value, list) else value

    return old(json.loads(recorded))


def test_a_run_that_began_under_an_earlier_release_goes_on(old: str, tmp_path: Path) -> None:
    with Database(old) as database:
        database.upgrade()
        again = queue(database, epochs=2)
        assert work(old, again, 0, tmp_path / "undisturbed")[0] == "done"
        assert work(old, RUN, 0, tmp_path / "resumed")[0] == "done"
        assert without_news(record(database, RUN)) == without_news(record(database, again))
    whole = len((tmp_path / "undisturbed").read_text().splitlines())
    bought_before = 31
    assert len((tmp_path / "resumed").read_text().splitlines()) <= whole - bought_before + CONCURRENCY


def test_a_migration_that_fails_leaves_the_database_as_it_was(old: str) -> None:
    with Database(old) as database:
        with database.engine.begin() as connection:
            connection.execute(text("CREATE TABLE shards (id INTEGER)"))
        with pytest.raises(Unusable, match="already exists"):
            database.upgrade()
        with database.engine.connect() as connection:
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "0001"
            assert connection.execute(text("SELECT count(*) FROM calls WHERE settled")).scalar_one() == 29
        with database.engine.begin() as connection:
            connection.execute(text("DROP TABLE shards"))
        database.upgrade()
        database.check()
