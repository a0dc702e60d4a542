"""What happens to the record here: locked, full, migrated, killed before an answer is stored, backed up and put back."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from app.config import ROOT
from app.store.database import Database
from app.store.schema import Unusable
from tests.fakes.openai_server import OpenAIServer
from tests.faults.store_place import CONCURRENCY, Place, counting, place, undisturbed
from tests.servers import migrated

__all__ = ["counting", "undisturbed"]
pytestmark = [pytest.mark.faults, pytest.mark.slow]
SMALL_FILE_BYTES = 20_000


@pytest.fixture
def here(tmp_path: Path, counting: OpenAIServer) -> Iterator[Place]:
    """A place with an SQLite database."""
    with place(tmp_path / "data", counting) as here:
        yield here
    counting.latency_s = 0.05


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path, counting: OpenAIServer) -> Iterator[Place]:
    """A place with either database."""
    with place(tmp_path / "data", counting, migrated(request, tmp_path)) as here:
        yield here


@contextmanager
def locked(here: Place) -> Iterator[None]:
    """Another program writes and does not end."""
    lock = sqlite3.connect(here.folder / "app.db", isolation_level=None, timeout=30)
    lock.execute("BEGIN IMMEDIATE")
    yield
    lock.close()


def at_rest(here: Place) -> int:
    """What has been paid once the calls under way have ended; then nothing more is bought."""
    time.sleep(1.5)
    paid = here.paid
    time.sleep(3)
    assert here.paid == paid, "nothing is bought that could not be recorded"
    return paid


def test_a_run_waits_for_a_database_that_is_locked_longer_than_a_writer_waits(
    here: Place, undisturbed: tuple[str, int]
) -> None:
    run_id = here.queue()
    worker = here.driver(run_id)
    here.wait_until_paid(40)
    with locked(here):
        at_rest(here)
        here.wait(lambda: "another program keeps it locked" in here.log(), "the worker says why", 60)
    assert worker.wait(90) == 0
    assert here.run(run_id).fence == 1
    assert (here.record(run_id), here.paid) == undisturbed
    assert here.totals(run_id).uncertain_calls == 0
    assert here.spooled == 0


def test_a_run_waits_for_a_disk_that_is_full(here: Place, undisturbed: tuple[str, int]) -> None:
    """The disk is full for the database alone: no file of the worker may grow beyond a size that the log has passed."""
    run_id = here.queue()
    worker = here.driver(run_id)
    here.wait_until_paid(40)
    unlimited = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (SMALL_FILE_BYTES, unlimited[1]))
    paid = at_rest(here)
    assert "the store does not answer, so nothing is bought: its disk" in here.log()
    assert here.run(run_id).status == "running"
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, unlimited)
    here.wait(lambda: here.paid > paid, "it buys again", 45)
    assert worker.wait(90) == 0
    assert here.run(run_id).fence == 1
    assert (here.record(run_id), here.paid) == undisturbed
    assert here.totals(run_id).uncertain_calls == 0


def test_what_was_paid_is_kept_when_a_worker_ends_while_the_disk_is_full(
    here: Place, undisturbed: tuple[str, int]
) -> None:
    run_id = here.queue()
    worker = here.driver(run_id)
    here.wait_until_paid(40)
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (SMALL_FILE_BYTES, resource.RLIM_INFINITY))
    at_rest(here)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    waiting = here.spooled
    here.wait_until_free(run_id)
    assert here.driver(run_id).wait(90) == 0
    assert here.record(run_id) == undisturbed[0]
    assert here.paid <= undisturbed[1] + CONCURRENCY - waiting
    here.assert_bill(run_id)


def test_answers_that_were_paid_for_and_not_stored_when_the_power_fails_are_in_doubt(
    here: Place, undisturbed: tuple[str, int]
) -> None:
    """The calls under way are paid, their answers wait for a database that is locked, and the process is gone."""
    run_id = here.queue()
    worker = here.driver(run_id)
    here.wait_until_paid(40)
    with locked(here):
        paid = at_rest(here)
        worker.kill()
        worker.wait()
    totals = here.totals(run_id)
    assert paid - totals.calls <= totals.uncertain_calls <= CONCURRENCY
    assert totals.calls <= paid <= totals.calls + totals.uncertain_calls
    here.wait_until_free(run_id)
    assert here.driver(run_id).wait(90) == 0
    assert here.record(run_id) == undisturbed[0]
    assert undisturbed[1] <= here.paid <= undisturbed[1] + CONCURRENCY
    here.assert_bill(run_id)


def test_a_run_goes_on_while_the_tables_are_changed(either: Place, undisturbed: tuple[str, int]) -> None:
    """The worker is still the one from before the upgrade; whoever starts after it is refused."""
    run_id = either.queue()
    worker = either.driver(run_id)
    either.wait_until_paid(40)
    with either.database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE calls ADD COLUMN of_the_next_release TEXT DEFAULT '' NOT NULL"))
        connection.execute(text("ALTER TABLE runs ADD COLUMN of_the_next_release TEXT DEFAULT '' NOT NULL"))
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        time.sleep(4)  # longer than the lease
    assert worker.wait(90) == 0
    assert either.run(run_id).fence == 1
    assert (either.record(run_id), either.paid) == undisturbed
    with pytest.raises(Unusable, match="newer version"):
        either.database.check()


def test_starts_that_find_nothing_to_migrate_disturb_no_run(either: Place, undisturbed: tuple[str, int]) -> None:
    run_id = either.queue()
    worker = either.driver(run_id)
    either.wait_until_paid(20)
    migrations = [either.start(sys.executable, "-m", "app.cli", "migrate") for _ in range(4)]
    assert [process.wait(90) for process in migrations] == [0] * 4
    assert worker.wait(90) == 0
    assert (either.record(run_id), either.paid) == undisturbed


def test_a_backup_made_during_a_run_is_put_in_place_and_the_run_goes_on(
    here: Place, undisturbed: tuple[str, int]
) -> None:
    run_id = here.queue()
    worker = here.driver(run_id)
    here.wait_until_paid(60)
    here.server.latency_s = 3.0  # so that the run is still under way when the backup has been made
    copy = here.folder / "copy.db"
    before = here.paid
    made = subprocess.run(
        [sys.executable, "-m", "app.cli", "backup", str(copy)], cwd=ROOT, env=here.environment(), capture_output=True
    )
    assert made.returncode == 0, made.stderr
    here.server.latency_s = 0.05
    here.wait_until_paid(here.paid + 8)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    lost = here.paid - before
    here.database.close()
    for suffix in ("-wal", "-shm"):
        (here.folder / f"app.db{suffix}").unlink(missing_ok=True)
    shutil.move(copy, here.folder / "app.db")
    with Database(here.url) as database:
        database.check(thorough=True)
    here.wait_until_free(run_id)
    assert here.driver(run_id).wait(90) == 0
    assert here.record(run_id) == undisturbed[0]
    assert here.paid <= undisturbed[1] + lost + CONCURRENCY
