"""A store that is away is waited for; nothing is bought meanwhile, and afterwards the run goes on."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from app.ports.journal import CallIntent, CallResult, JournalUnavailable, Sample
from app.store import claims, outage, spool
from app.store.database import Database
from app.store.journal import SqlJournal
from tests.servers import migrated
from tests.store.worlds import add_run, away


@pytest.fixture(params=["sqlite", "postgresql"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A journal that waits for its store for a minute."""
    with Database(migrated(request, tmp_path), busy_s=0.2) as database:
        add_run(database)
        claim = claims.claim(database, "run1", "worker")
        assert claim is not None
        journal = SqlJournal(database, claim, spool_in=tmp_path / "spool", patience_s=60)
        journal.database = database  # type: ignore[attr-defined]
        yield journal
        journal.stop()


async def test_who_asks_while_the_store_is_away_waits_until_it_is_back(journal: Any, tmp_path: Path) -> None:
    await journal.intend(CallIntent("sent", 1, "primary", "m", {}, None))
    with away(journal.database):
        waiting = [
            asyncio.create_task(journal.intend(CallIntent("next", 1, "primary", "m", {}, None))),
            asyncio.create_task(journal.heartbeat()),
            asyncio.create_task(journal.totals()),
        ]
        await asyncio.sleep(0.3)
        journal.settle("sent", CallResult("paid for"))
        journal.keep(Sample("s", "c", "1", 0, "", "scored", 1.0, "", ""))
        await asyncio.sleep(2.0)
        assert not any(task.done() for task in waiting)
        assert spool.waiting(tmp_path / "spool") == {"run1": 1}
    await asyncio.wait_for(asyncio.gather(*waiting), 15)
    calls = await journal.calls(["sent", "next"])
    assert calls["sent"].result.text == "paid for"
    assert calls["next"].result is None
    assert list(await journal.samples(["s"])) == ["s"]
    assert list((tmp_path / "spool").iterdir()) == []


async def test_a_worker_that_is_told_to_end_waits_no_longer(journal: Any, tmp_path: Path) -> None:
    await journal.intend(CallIntent("sent", 1, "primary", "m", {}, None))
    with away(journal.database):
        journal.settle("sent", CallResult("paid for"))
        waiting = asyncio.create_task(journal.flush())
        await asyncio.sleep(0.5)
        journal.hurry()
        with pytest.raises(JournalUnavailable):
            await asyncio.wait_for(waiting, 15)
        await asyncio.to_thread(journal.stop)
    assert spool.waiting(tmp_path / "spool") == {"run1": 1}


async def test_when_the_patience_is_over_every_later_call_hears_so_at_once(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path}/app.db", busy_s=0.01) as database:
        database.upgrade()
        add_run(database)
        claim = claims.claim(database, "run1", "worker")
        assert claim is not None
        journal = SqlJournal(database, claim, patience_s=0.5)
        with away(database):
            began = time.monotonic()
            with pytest.raises(JournalUnavailable):
                await journal.flush()
            assert time.monotonic() - began >= 0.5
            for _ in range(3):
                with pytest.raises(JournalUnavailable, match="another program keeps it locked"):
                    await journal.heartbeat()
        await journal.flush()
        journal.stop()


def test_work_is_repeated_while_the_store_is_away() -> None:
    tries: list[int] = []

    def work() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("SELECT 1", {}, Exception("gone"))
        return "done"

    assert outage.insist(work, 30) == "done"
    assert len(tries) == 3


def test_repeating_ends_with_the_patience_and_never_begins_for_another_error() -> None:
    def away() -> None:
        raise OperationalError("SELECT 1", {}, Exception("database or disk is full"))

    def wrong() -> None:
        raise IntegrityError("INSERT", {}, Exception("twice"))

    with pytest.raises(JournalUnavailable, match="its disk is full"):
        outage.insist(away, 0.2)
    with pytest.raises(IntegrityError):
        outage.insist(wrong, 30)


def test_pauses_grow_up_to_a_second_and_begin_anew_after_an_answer() -> None:
    patience = outage.Patience(100)
    pauses = [patience.pause_s() for _ in range(6)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.1, 1.0)
    patience.answered()
    assert (patience.waited_s, patience.pause_s()) == (0.0, 0.1)
    patience.end()
    assert patience.pause_s() == 0.0


def test_a_writer_that_ends_leaves_no_thread(journal: Any) -> None:
    journal.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "journal-run1"]
