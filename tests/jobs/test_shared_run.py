"""Several workers buy one large evaluation together; when one is killed, the others do its part."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from sqlalchemy import select

from app.services import runs
from app.store.models import Run, ShardRow
from tests.jobs.conftest import Workplace, processes_of

pytestmark = pytest.mark.slow
CONCURRENCY = 8
LARGE: dict[str, object] = {"split": "10/80/10", "epochs": 1, "concurrency": CONCURRENCY, "cache": "off"}

SHARING = {"WHETSTONE_SHARE_ABOVE": "60", "WHETSTONE_WORKER_PROCESSES": "1"}


def holders(workplace: Workplace) -> set[str]:
    """Who holds a shard now."""
    with workplace.database.session() as session:
        return set(session.scalars(select(ShardRow.owner).where(ShardRow.status == "taken")))


def told(workplace: Workplace, run_id: str) -> tuple[Any, list[tuple[str, Any]]]:
    """Outcome and history, to compare."""
    with workplace.database.session() as session:
        return session.get_one(Run, run_id).outcome, [(n.name, n.data) for n in runs.notes(session, run_id)]


def test_a_killed_helper_costs_only_its_calls_under_way(workplace: Workplace) -> None:
    workplace.environ |= SHARING
    workers = [workplace.start_worker() for _ in range(2)]
    run_id = workplace.queue(**LARGE)
    workplace.wait(lambda: len(holders(workplace)) >= 2, "two workers hold shards of the run")
    driver = int(workplace.run(run_id).lease_owner.rpartition(":")[2])
    helper = next(worker for worker in workers if driver not in processes_of(worker.pid))
    os.killpg(helper.pid, signal.SIGKILL)
    workplace.wait_until_done(run_id)
    ledger = workplace.server.ledger.as_json()
    assert ledger["repeated"] <= CONCURRENCY
    with workplace.database.session() as session:
        assert session.scalars(select(ShardRow)).all() == []
        spent = runs.totals(session, run_id)
    assert spent.calls <= ledger["paid"] <= spent.calls + spent.uncertain_calls
    shared = told(workplace, run_id)
    alone = workplace.queue(**LARGE)
    workplace.environ["WHETSTONE_SHARE_ABOVE"] = "0"
    workplace.start_worker()
    os.killpg(next(w for w in workers if w is not helper).pid, signal.SIGKILL)
    workplace.wait_until_done(alone)
    assert told(workplace, alone) == shared


def test_helpers_leave_when_the_driver_dies_and_the_run_goes_on(workplace: Workplace) -> None:
    workplace.environ |= SHARING
    workers = [workplace.start_worker() for _ in range(2)]
    run_id = workplace.queue(**LARGE)
    workplace.wait(lambda: len(holders(workplace)) >= 2, "two workers hold shards of the run")
    driver = int(workplace.run(run_id).lease_owner.rpartition(":")[2])
    os.killpg(next(worker for worker in workers if driver in processes_of(worker.pid)).pid, signal.SIGKILL)
    run = workplace.wait_until_done(run_id)
    assert run.fence >= 2
    assert workplace.server.ledger.as_json()["repeated"] <= 2 * CONCURRENCY
