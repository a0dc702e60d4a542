"""The writer shares commits, survives its loop and its store, and loses nothing that it called durable."""

from __future__ import annotations

import asyncio
import multiprocessing.connection
import os
import signal
from typing import Any

import pytest
from sqlalchemy import event, func, select, update

from app.ports.journal import CallIntent, CallResult, JournalError, LeaseLost, Sample, Step
from app.store import claims
from app.store.database import Database
from app.store.journal import SqlJournal
from app.store.models import CallRow, Run, SampleRow
from tests.store.processes import context, write_calls
from tests.store.worlds import add_run, expire


def open_journal(database: Database) -> SqlJournal:
    expire(database, "run1")
    claim = claims.claim(database, "run1", "worker")
    assert claim is not None
    return SqlJournal(database, claim)


@pytest.fixture
def journal(database: Database) -> Any:
    add_run(database)
    journal = open_journal(database)
    yield journal
    journal.stop()


async def test_concurrent_calls_share_commits(database: Database, journal: SqlJournal) -> None:
    commits: list[object] = []
    event.listen(database.engine, "commit", commits.append)
    await asyncio.gather(*(journal.intend(CallIntent(str(n), 1, "primary", "m", {}, None)) for n in range(256)))
    assert len(commits) <= 10


async def test_a_write_that_nobody_waits_for_is_durable_soon(database: Database, journal: SqlJournal) -> None:
    journal.keep_step(Step("s", 1))
    await asyncio.sleep(0.5)
    expire(database, "run1")
    other = open_journal(database)
    assert await other.step("s") == Step("s", 1)
    other.stop()


async def test_stopping_writes_what_is_queued(database: Database, journal: SqlJournal) -> None:
    for number in range(100):
        journal.keep_step(Step(str(number), number))
    journal.stop()
    other = open_journal(database)
    assert await other.step("99") == Step("99", 99)
    other.stop()


async def test_a_value_is_recorded_as_it_was_when_it_was_handed_over(journal: SqlJournal) -> None:
    value = {"list": [1]}
    journal.keep_step(Step("s", value))
    value["list"].append(2)
    assert await journal.step("s") == Step("s", {"list": [1]})


async def test_a_run_that_was_deleted_stops_its_worker(database: Database, journal: SqlJournal) -> None:
    with database.session() as session:
        session.delete(session.get_one(Run, "run1"))
        session.commit()
    with pytest.raises(LeaseLost):
        await journal.heartbeat()


async def test_a_run_that_has_ended_takes_no_more_writes(database: Database, journal: SqlJournal) -> None:
    with database.session() as session:
        session.execute(update(Run).values(status="done"))
        session.commit()
    journal.keep_step(Step("late", 1))
    with pytest.raises(LeaseLost):
        await journal.flush()


async def test_a_record_that_the_database_refuses_stops_the_worker_in_words(
    database: Database, journal: SqlJournal
) -> None:
    too_large = 2**80
    journal.keep(Sample("k", "c", "1", 0, "", "scored", 1.0, "", "", tokens=too_large))
    with pytest.raises(JournalError, match="the journal cannot go on"):
        await journal.flush()
    with pytest.raises(JournalError, match="the journal cannot go on"):
        await journal.intend(CallIntent("k", 1, "primary", "m", {}, None))


async def test_the_heartbeat_prolongs_the_lease(database: Database, journal: SqlJournal) -> None:
    with database.session() as session:
        session.execute(update(Run).values(lease_until=1.0))
        session.commit()
    await journal.heartbeat()
    assert claims.abandoned(database) == []


async def test_a_long_name_of_a_served_model_is_cut(journal: SqlJournal) -> None:
    await journal.intend(CallIntent("k", 1, "primary", "m", {}, None))
    journal.settle("k", CallResult("x", served_model="m" * 1000))
    result = (await journal.calls(["k"]))["k"].result
    assert result is not None
    assert result.served_model == "m" * 200


async def test_a_waiter_that_gave_up_disturbs_nobody(journal: SqlJournal) -> None:
    waiting = asyncio.create_task(journal.flush())
    await asyncio.sleep(0)
    waiting.cancel()
    await journal.flush()


def test_what_was_called_durable_survives_kill_9(migrated_url: str) -> None:
    """A process writes calls and says after each one that it is durable; it is killed in the middle, three times."""
    with Database(migrated_url) as database:
        add_run(database)
        confirmed: list[str] = []
        for _ in range(3):
            expire(database, "run1")
            confirmed += _killed_while_writing(migrated_url)
        with database.session() as session:
            calls = session.execute(select(CallRow.key, CallRow.settled).order_by(CallRow.id)).all()
            samples = set(session.scalars(select(SampleRow.key)))
            unsettled = [call.key for call in calls if not call.settled]
            assert session.scalar(select(func.count()).select_from(SampleRow)) == len(samples)
        assert len(confirmed) > 30
        assert set(confirmed) <= samples
        assert set(confirmed) <= {call.key for call in calls} - set(unsettled)
        assert len(unsettled) <= 3 * 8  # the calls under way at each kill


def _killed_while_writing(url: str) -> list[str]:
    reader, writer = context().Pipe(duplex=False)
    process = context().Process(target=write_calls, args=(url, writer))
    process.start()
    writer.close()
    confirmed = _read(reader, 15)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    return confirmed + _read(reader, None)


def _read(reader: multiprocessing.connection.Connection[Any, str], count: int | None) -> list[str]:
    """So many lines, or all that are left."""
    found: list[str] = []
    try:
        while count is None or len(found) < count:
            found.append(reader.recv())
    except EOFError:
        pass
    return found
