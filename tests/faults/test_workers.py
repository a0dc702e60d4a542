"""What happens to workers in the middle of a run, with real processes and signals: the run ends as if it had not happened."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest
import redis
from sqlalchemy import update

from app.services import datasets, hints, prompts, runs
from app.store.models import Run
from tests.fakes.faults import Fault
from tests.faults.conftest import FaultFree
from tests.faults.oracle import assert_bill, end_state
from tests.jobs.conftest import Workplace, processes_of

pytestmark = pytest.mark.faults
BOTH = pytest.mark.parametrize("place", ["sqlite", "postgresql"], indirect=True)
CONCURRENCY = 4
MIDDLE = 40
"""Paid calls after which the fault comes."""


def driver(place: Workplace, run_id: str) -> int:
    """The process that drives the run."""
    return int(place.run(run_id).lease_owner.rpartition(":")[2])


def assert_unharmed(place: Workplace, run_id: str, undisturbed: FaultFree, *, crashes: int) -> None:
    """The run ends as the fault-free one; what was bought twice was under way at a crash; the bill contains the truth."""
    place.wait_until_done(run_id)
    place.wait(lambda: place.server.ledger.in_flight == 0, "calls that were cut off end")
    paid = place.server.ledger.paid
    assert end_state(place.database, run_id) == undisturbed.state
    assert paid - undisturbed.calls <= CONCURRENCY * crashes
    assert_bill(place.database, [run_id], paid)


@BOTH
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGQUIT])
def test_a_process_of_the_pool_is_gone(place: Workplace, undisturbed: FaultFree, number: signal.Signals) -> None:
    """SIGKILL is also what the kernel does when memory runs out."""
    run_id = place.queue()
    worker = place.start_worker()
    place.wait_until_paid(MIDDLE)
    os.kill(driver(place, run_id), number)
    assert_unharmed(place, run_id, undisturbed, crashes=1)
    assert worker.poll() is None


@BOTH
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGQUIT])
def test_a_whole_worker_is_gone(place: Workplace, undisturbed: FaultFree, number: signal.Signals) -> None:
    run_id = place.queue()
    worker = place.start_worker()
    place.wait_until_paid(MIDDLE)
    worker.send_signal(number)
    worker.wait(15)
    assert not processes_of(worker.pid)
    place.start_worker()
    assert_unharmed(place, run_id, undisturbed, crashes=1)


def test_a_time_limit_ends_the_process_again_and_again(place: Workplace, undisturbed: FaultFree) -> None:
    place.server.latency_s = 0.15
    try:
        run_id = place.queue()
        place.start_worker("--time-limit", "3")
        place.wait_until_done(run_id)
    finally:
        place.server.latency_s = 0.05
    claims = place.run(run_id).fence
    assert claims >= 2
    assert_unharmed(place, run_id, undisturbed, crashes=claims - 1)


@BOTH
def test_a_worker_that_slept_longer_than_its_lease_is_fenced(place: Workplace, undisturbed: FaultFree) -> None:
    run_id = place.queue()
    place.start_worker()
    place.wait_until_paid(MIDDLE)
    zombie, fence = driver(place, run_id), place.run(run_id).fence
    os.kill(zombie, signal.SIGSTOP)
    try:
        place.start_worker()
        place.wait(lambda: place.run(run_id).fence > fence, "another process takes the run")
    finally:
        os.kill(zombie, signal.SIGCONT)
    assert_unharmed(place, run_id, undisturbed, crashes=1)


def test_a_message_comes_many_times(place: Workplace, undisturbed: FaultFree) -> None:
    """Doubled, and delivered again in the middle and after the end, to two workers: it is driven once."""
    run_id = place.queue()
    for _ in range(3):
        assert hints.send(place.redis_url, run_id)
    for _ in range(2):
        place.start_worker()
    for paid in (1, MIDDLE):
        place.wait_until_paid(paid)
        for _ in range(3):
            assert hints.send(place.redis_url, run_id)
    assert_unharmed(place, run_id, undisturbed, crashes=0)
    hints.send(place.redis_url, run_id)
    with redis.Redis.from_url(place.redis_url) as client:
        place.wait(lambda: client.llen(hints.QUEUE) == 0, "the queue is empty")
    assert place.run(run_id).fence == 1


def test_redis_forgets_everything(place: Workplace, undisturbed: FaultFree) -> None:
    first, second = place.queue(), place.queue(seed=7)
    place.start_worker("--concurrency", "1")
    hints.send(place.redis_url, first)
    hints.send(place.redis_url, second)
    place.wait_until_paid(MIDDLE)
    with redis.Redis.from_url(place.redis_url) as client:
        client.flushall()
    place.wait_until_done(first)
    place.wait_until_done(second)
    assert end_state(place.database, first) == undisturbed.state
    assert_bill(place.database, [first, second], place.server.ledger.paid)


@BOTH
@pytest.mark.parametrize(("ask", "status"), [(runs.request_pause, "paused"), (runs.request_cancel, "cancelled")])
def test_a_wish_is_heard_within_five_seconds_though_calls_hang(
    place: Workplace, ask: Callable[..., object], status: str
) -> None:
    place.server.play(Fault("hang", times=None, after=10))
    run_id = place.queue()
    place.start_worker()
    place.wait_until_paid(10 + CONCURRENCY)
    began = time.monotonic()
    with place.database.session() as session:
        ask(session, run_id)
    place.wait(lambda: place.run(run_id).status == status, f"it is {status}", 5)
    assert time.monotonic() - began <= 5
    asked = place.server.ledger.requests
    time.sleep(1.5)
    assert place.server.ledger.requests == asked
    assert_bill(place.database, [run_id], place.server.ledger.paid)


def test_a_new_version_is_deployed(place: Workplace, undisturbed: FaultFree) -> None:
    """Old workers end, the tables are brought up to date, new workers with other defaults go on with the pinned spec."""
    run_id = place.queue()
    old = place.start_worker()
    place.wait_until_paid(MIDDLE)
    old.terminate()
    old.wait(15)
    place.database.upgrade()
    place.environ |= {
        "WHETSTONE_TRAINING_EPOCHS": "1",
        "WHETSTONE_CALLS_RETRIES": "0",
        "WHETSTONE_OPTIMIZER_FAILURES": "1",
    }
    place.start_worker()
    assert_unharmed(place, run_id, undisturbed, crashes=1)


def test_the_tables_are_migrated_while_it_runs(place: Workplace, undisturbed: FaultFree) -> None:
    run_id = place.queue()
    place.start_worker()
    for paid in (10, MIDDLE):
        place.wait_until_paid(paid)
        place.database.upgrade()
    assert_unharmed(place, run_id, undisturbed, crashes=0)


def test_what_it_uses_is_edited_and_deleted(place: Workplace, undisturbed: FaultFree) -> None:
    run_id = place.queue(prompt="mine")
    place.start_worker()
    place.wait_until_paid(10)
    with place.database.session() as session:
        run = session.get_one(Run, run_id)
        assert run.prompt
        assert run.dataset
        prompts.save_version(session, run.prompt, system_prompt="Something else.", output_prompt="")
        prompts.delete(session, run.prompt)
        datasets.delete(session, run.dataset)
    place.wait_until_paid(MIDDLE)
    os.kill(driver(place, run_id), signal.SIGKILL)  # the next process reads everything anew
    assert_unharmed(place, run_id, undisturbed, crashes=1)


def test_the_lease_is_kept_under_way(place: Workplace) -> None:
    """A run that takes longer than its lease is never taken from a worker that lives."""
    place.environ["WHETSTONE_LEASE_S"] = "5"
    place.server.latency_s = 0.2
    try:
        run_id = place.queue()
        for _ in range(2):
            place.start_worker()
        place.wait_until_paid(1)
        began = time.monotonic()
        place.wait_until_done(run_id)
    finally:
        place.server.latency_s = 0.05
    assert time.monotonic() - began > 5
    assert place.run(run_id).fence == 1


def test_an_expired_lease_that_nobody_took_harms_nothing(place: Workplace, undisturbed: FaultFree) -> None:
    run_id = place.queue()
    place.start_worker()
    place.wait_until_paid(MIDDLE)
    with place.database.engine.begin() as connection:
        connection.execute(update(Run).where(Run.id == run_id).values(lease_until=0.0))
    assert_unharmed(place, run_id, undisturbed, crashes=1)
