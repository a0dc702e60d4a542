"""Every list over a run's records is read through an index from where the page begins: no scan, no sort, no OFFSET."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from app.services import runs
from app.services.runs.spending import spent_so_far
from app.store.database import Database
from app.store.models import CallRow
from app.store.statements import read_totals
from benchmarks.million import RUN, Size, candidate, fill
from tests.servers import migrated

WHO = candidate(3)
LARGE = ("samples", "calls", "events", "examples")
READS: dict[str, Callable[[Session], object]] = {
    "samples": lambda s: runs.samples(s, RUN, after=5),
    "samples of a candidate": lambda s: runs.samples(s, RUN, after=5, candidate=WHO),
    "samples of a split": lambda s: runs.samples(s, RUN, after=5, split="train"),
    "samples by outcome": lambda s: runs.samples(s, RUN, after=5, outcome="timed_out"),
    "scored samples": lambda s: runs.samples(s, RUN, after=5, outcome="scored"),
    "samples by everything": lambda s: runs.samples(s, RUN, candidate=WHO, split="test", outcome="timed_out"),
    "calls": lambda s: runs.calls(s, RUN, after=5),
    "calls of the primary model": lambda s: runs.calls(s, RUN, show="primary", after=5),
    "calls of the optimizer": lambda s: runs.calls(s, RUN, show="optimizer", after=5),
    "failed calls": lambda s: runs.calls(s, RUN, show="errors", after=5),
    "open calls": lambda s: runs.calls(s, RUN, show="open", after=5),
    "unprocessed": lambda s: runs.unprocessed(s, runs.get(s, RUN), after=5),
    "pairs": lambda s: runs.before_after(s, runs.get(s, RUN), candidate(0), WHO, split="validation", after=5),
    "fixed pairs": lambda s: runs.before_after(
        s, runs.get(s, RUN), candidate(0), WHO, split="validation", change="fixed", after=5
    ),
    "progress": lambda s: runs.progress(s, runs.get(s, RUN)),
    "notes": lambda s: runs.notes(s, RUN),
    "spending under way": lambda s: spent_so_far(s, RUN),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with a run of 20,000 samples."""
    if request.param == "postgresql":
        url = request.getfixturevalue("module_postgres_url")
    else:
        url = migrated(request, tmp_path_factory.mktemp("plans"))
    with Database(url) as database:
        fill(database, Size(samples=20_000, progress=500))
        yield database


@pytest.mark.parametrize("name", READS)
def test_reads_go_through_indexes(filled: Database, name: str) -> None:
    for statement, plan in plans(
        filled, READS[name]
    ):  # SQLAlchemy writes "OFFSET ?", with 0, for every LIMIT in SQLite
        assert "OFFSET" not in statement.replace("LIMIT ? OFFSET ?", "")
        assert not re.search(r"\bSCAN\b (samples|calls|events|examples)|TEMP B-TREE FOR (ORDER|GROUP)", plan), plan
        assert not re.search(r"Seq Scan on (samples|calls|events|examples)", plan), plan


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("samples of a split", "ix_samples_run_id"),
        ("samples of a candidate", "ix_samples_run_candidate"),
        ("samples by outcome", "ix_samples_unscored"),
        ("calls of the optimizer", "ix_calls_role"),
        ("failed calls", "ix_calls_failed"),
        ("open calls", "ix_calls_open"),
        ("fixed pairs", "ix_samples_case"),
        ("progress", "ix_events_state"),
    ],
)
def test_each_index_is_there_for_something(filled: Database, name: str, index: str) -> None:
    if not filled.is_sqlite and name in ("samples of a split", "samples of a candidate", "progress"):
        pytest.skip("PostgreSQL knows how few rows these are here, and may choose another index")
    assert any(index in plan for _, plan in plans(filled, READS[name]))


def plans(database: Database, read: Callable[[Session], object]) -> list[tuple[str, str]]:
    """The statements of a read over large tables, each with its plan."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        with database.session() as session:
            read(session)
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    found = []
    with database.engine.connect() as connection:
        if not database.is_sqlite:  # tables of this size are read whole by choice; a million rows are not
            connection.execute(text("SET enable_seqscan = off"))
            connection.execute(text("SET enable_bitmapscan = off"))
        for statement, parameters in asked:
            if any(f"FROM {table}" in statement for table in LARGE):
                rows = connection.exec_driver_sql(explain + statement, parameters)
                found.append((statement, "\n".join(str(row[-1]) for row in rows)))
    assert found
    return found


def test_a_page_reads_no_more_rows_than_it_shows(filled: Database) -> None:
    with filled.session() as session:
        page = runs.samples(session, RUN, split="validation", limit=10)
        again = runs.samples(session, RUN, split="validation", after=page[-1].id, limit=10)
    assert [sample.case for sample in page] == [str(row) for row in range(10, 101, 10)]
    assert [sample.case for sample in again] == [str(row) for row in range(110, 201, 10)]


def test_what_a_running_run_spent_is_the_sum_of_its_calls(filled: Database) -> None:
    with filled.session() as session:
        told = [asdict(spent_so_far(session, RUN)) for _ in range(2)]
        expected = asdict(read_totals(session.connection(), RUN))
    assert told == [pytest.approx(expected)] * 2


def test_a_reply_that_comes_late_is_not_overlooked(filled: Database) -> None:
    with filled.session() as session:
        spent_so_far(session, RUN)
        call = session.scalars(select(CallRow).where(CallRow.run_id == RUN, CallRow.error != "").limit(1)).one()
        call.error, call.prompt_tokens = "", 1234
        session.flush()
        told = asdict(spent_so_far(session, RUN))
        assert told == pytest.approx(asdict(read_totals(session.connection(), RUN)))
