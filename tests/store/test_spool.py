"""Answers that were paid for while the store is away wait in a file and are on record after the next claim."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from app.ports.journal import CallIntent, CallResult, JournalUnavailable, LeaseLost
from app.ports.llm import Usage
from app.store import claims, spool
from app.store.claims import Claim
from app.store.database import Database
from app.store.journal import SqlJournal
from app.store.models import CallRow
from app.store.rows import RESULT_COLUMNS, intent, result
from app.store.spool import Spool
from tests.servers import migrated
from tests.store.worlds import add_run, away, expire

ANSWER = CallResult("the answer\n\u2028", usage=Usage(7, 3), cost_usd=0.25, raw={"id": "x", "n": 1e22})


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A database with a queued run, which soon says that it is busy."""
    with Database(migrated(request, tmp_path), busy_s=0.5) as database:
        add_run(database)
        yield database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def claimed(database: Database) -> Claim:
    expire(database, "run1")
    claim = claims.claim(database, "run1", "worker")
    assert claim is not None
    return claim


def asked(key: str, attempt: int = 1, uncertain: int = 0) -> CallIntent:
    return CallIntent(key, attempt, "primary", "m", {"text": "hello"}, 0.5, uncertain)


def saved(folder: Path, claim: Claim, *calls: tuple[CallIntent | None, str, CallResult]) -> Spool:
    """The spool of a worker whose process has ended."""
    file = Spool(folder, claim)
    file.keep([(sent and intent("run1", sent), result("run1", key, ended)) for sent, key, ended in calls])
    file.close()
    return file


def call(database: Database, key: str = "k") -> CallRow | None:
    with database.session() as session:
        return session.scalar(select(CallRow).where(CallRow.key == key))


async def left_behind(database: Database, folder: Path, *keys: str) -> None:
    """A worker sends calls, the store goes away, the answers come, and the worker is told to end."""
    journal = SqlJournal(database, claimed(database), spool_in=folder, patience_s=60)
    for key in keys:
        await journal.intend(asked(key))
    with away(database):
        for key in keys:
            journal.settle(key, ANSWER)
        journal.hurry()
        journal.stop()


async def test_what_was_paid_while_the_store_was_away_is_on_record_after_the_next_claim(
    database: Database, folder: Path
) -> None:
    await left_behind(database, folder, "k", "l")
    assert spool.waiting(folder) == {"run1": 2}
    claim = claimed(database)
    assert spool.restore(database, claim, folder) == 2
    assert list(folder.iterdir()) == []
    journal = SqlJournal(database, claim)
    found = await journal.calls(["k", "l"])
    assert [found[key].result for key in ("k", "l")] == [ANSWER, ANSWER]
    totals = await journal.totals()
    assert (totals.calls, totals.uncertain_calls, totals.cost_usd) == (2, 0, 0.5)
    journal.stop()


async def test_an_answer_takes_its_call_along_to_a_database_that_was_restored(database: Database, folder: Path) -> None:
    await left_behind(database, folder, "k")
    with database.session() as session:
        session.execute(delete(CallRow))
        session.commit()
    claim = claimed(database)
    assert spool.restore(database, claim, folder) == 1
    row = call(database)
    assert row is not None
    assert (row.settled, row.text, row.request, row.raw, row.attempts) == (
        True,
        ANSWER.text,
        {"text": "hello"},
        ANSWER.raw,
        1,
    )
    assert row.sent_at is not None
    assert row.settled_at is not None


async def test_what_is_committed_after_all_leaves_no_file(database: Database, folder: Path) -> None:
    journal = SqlJournal(database, claimed(database), spool_in=folder, patience_s=60)
    await journal.intend(asked("k"))
    with away(database):
        journal.settle("k", ANSWER)
        journal.hurry()
        assert spool.waiting(folder) == {"run1": 1}
        with pytest.raises(JournalUnavailable):
            await journal.flush()
    await journal.flush()
    assert list(folder.iterdir()) == []
    journal.stop()
    row = call(database)
    assert row is not None
    assert row.text == ANSWER.text


@pytest.mark.parametrize("arrived", [False, True], ids=["refused", "answer lost"])
async def test_a_call_that_was_never_sent_is_not_in_doubt(database: Database, folder: Path, arrived: bool) -> None:
    """The intent may be on record although the commit seemed to fail."""
    journal = SqlJournal(database, claimed(database), spool_in=folder)
    with away(database):
        with pytest.raises(JournalUnavailable):
            await journal.intend(asked("k", 3, uncertain=1))
        journal.stop()
    claim = claimed(database)
    if arrived:
        other = SqlJournal(database, claim)
        await other.intend(asked("k", 3, uncertain=1))
        other.stop()
        claim = claimed(database)
    assert spool.restore(database, claim, folder) == 1
    row = call(database)
    assert row is not None
    assert (row.settled, row.error, row.attempts, row.uncertain) == (True, "unsent", 3, 1)


async def test_a_worker_that_lost_its_lease_leaves_nothing(database: Database, folder: Path) -> None:
    journal = SqlJournal(database, claimed(database), spool_in=folder)
    await journal.intend(asked("k"))
    claimed(database)
    journal.settle("k", ANSWER)
    with pytest.raises(LeaseLost):
        await journal.flush()
    journal.hurry()
    journal.stop()
    assert spool.waiting(folder) == {}


async def test_a_newer_record_stands(database: Database, folder: Path) -> None:
    saved(folder, claimed(database), (asked("k"), "k", ANSWER))
    journal = SqlJournal(database, claimed(database))
    await journal.intend(asked("k", 2, uncertain=1))
    journal.settle("k", CallResult("newer", uncertain=1))
    await journal.flush()
    journal.stop()
    assert spool.restore(database, claimed(database), folder) == 0
    row = call(database)
    assert row is not None
    assert (row.text, row.attempts, row.uncertain) == ("newer", 2, 1)
    assert list(folder.iterdir()) == []


async def test_an_answer_ends_a_call_that_was_sent_again_and_that_sending_stays_in_doubt(
    database: Database, folder: Path
) -> None:
    saved(folder, claimed(database), (asked("k"), "k", ANSWER))
    journal = SqlJournal(database, claimed(database))
    await journal.intend(asked("k", 2, uncertain=1))
    journal.stop()
    assert spool.restore(database, claimed(database), folder) == 1
    row = call(database)
    assert row is not None
    assert (row.text, row.attempts, row.uncertain) == (ANSWER.text, 2, 1)


async def test_an_answer_whose_call_nobody_knows_is_left_out(database: Database, folder: Path) -> None:
    saved(folder, claimed(database), (None, "k", ANSWER))
    assert spool.restore(database, claimed(database), folder) == 0
    assert call(database) is None


def test_only_the_present_claim_reads_and_only_older_files(database: Database, folder: Path) -> None:
    claim = claimed(database)
    saved(folder, Claim("run1", claim.fence, 20), (asked("k"), "k", ANSWER))
    assert spool.restore(database, claim, folder) == 0
    claimed(database)
    with pytest.raises(LeaseLost):
        spool.restore(database, Claim("run1", claim.fence + 9, 20), folder)
    assert spool.waiting(folder) == {"run1": 1}


def test_what_a_helper_left_under_the_same_claim_is_read_at_the_end(database: Database, folder: Path) -> None:
    claim = claimed(database)
    saved(folder, claim, (asked("k"), "k", ANSWER))
    assert spool.restore(database, claim, folder, helpers=True) == 1
    assert list(folder.iterdir()) == []


def test_a_file_that_its_owner_still_writes_is_read_and_left(database: Database, folder: Path) -> None:
    file = Spool(folder, claimed(database))
    file.keep([(intent("run1", asked("k")), result("run1", "k", ANSWER))])
    assert spool.restore(database, claimed(database), folder) == 1
    assert file.path.exists()
    file.keep([(intent("run1", asked("l")), result("run1", "l", ANSWER))])
    file.close()
    assert spool.restore(database, claimed(database), folder) == 1
    assert not file.path.exists()


@pytest.mark.parametrize(
    ("damage", "left"),
    [
        (lambda whole: whole[:-1], 1),
        (lambda whole: whole[: len(whole) // 2 + 5], 1),
        (lambda whole: whole + b"\0" * 50, 2),
        (lambda whole: whole[:20] + b"?" + whole[21:], 0),
        (lambda whole: b"", 0),
    ],
    ids=["last byte", "half a line", "zeros", "first line", "empty"],
)
def test_a_file_is_read_up_to_the_first_line_that_is_not_whole(tmp_path: Path, damage: Any, left: int) -> None:
    claim = Claim("run1", 1, 20)
    file = saved(tmp_path, claim, (asked("k"), "k", ANSWER), (asked("l"), "l", ANSWER))
    file.path.write_bytes(damage(file.path.read_bytes()))
    assert spool.waiting(tmp_path)["run1"] == left


def test_the_same_answer_is_kept_once(tmp_path: Path) -> None:
    file = Spool(tmp_path, Claim("run1", 1, 20))
    for _ in range(3):
        file.keep([(None, result("run1", "k", ANSWER))])
    file.close()
    assert spool.waiting(tmp_path) == {"run1": 1}


def test_another_version_may_have_other_columns(database: Database, folder: Path) -> None:
    first = claimed(database)
    file = saved(folder, first, (asked("k"), "k", ANSWER))
    key, sent, ended = json.loads(file.path.read_bytes().partition(b" ")[2])
    fewer = {name: ended[name] for name in RESULT_COLUMNS[:10]} | {"uncertain": 0, "of_the_future": 5}
    body = json.dumps([key, sent | {"of_the_future": 1}, fewer]).encode()
    file.path.write_bytes(b"%08x %s\n" % (zlib.crc32(body), body))
    assert spool.restore(database, claimed(database), folder) == 1
    row = call(database)
    assert row is not None
    assert (row.settled, row.text, row.retries, row.wait_s) == (True, ANSWER.text, 0, 0.0)


def test_a_call_that_is_already_on_record_is_left_as_it_is(database: Database, folder: Path) -> None:
    claim = claimed(database)
    saved(folder, claim, (asked("k"), "k", ANSWER))
    assert spool.restore(database, claimed(database), folder) == 1
    saved(folder, claim, (asked("k"), "k", CallResult("another")))
    assert spool.restore(database, claimed(database), folder) == 0
    row = call(database)
    assert row is not None
    assert row.text == ANSWER.text
