"""Clocks jump: leases are by the database's clock and heal, durations are by a clock that never jumps."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.config import ROOT
from app.ports.journal import LeaseLost
from app.store import claims
from app.store.crew import SqlCrew
from app.store.database import Database
from app.store.journal import SqlJournal
from app.store.models import Run, ShardRow
from app.store.types import epoch_now
from tests.store.worlds import add_run

HOUR = 3600.0
WALL_CLOCK = {("time", "time"), ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}
MAY_READ_THE_WALL_CLOCK = {
    "app/jobs/intake.py": "says when a message was parked",
    "app/llm/retry_after.py": "Retry-After may be a date",
    "app/services/benchmarks/estimate.py": "compares with the day on which a model is switched off",
    "app/services/api_access/once.py": "keeps an answer for a day",
    "app/services/api_access/tokens.py": "says when a token was used last",
    "app/services/datasets/library.py": "says when a dataset was deleted",
    "app/services/models/library.py": "says when a model config was deleted",
    "app/services/models/looking.py": "compares with the day on which a model is switched off",
    "app/services/training/estimate.py": "compares with the day on which a model is switched off",
    "app/services/prompts/library.py": "says when a prompt was deleted",
    "app/services/retention.py": "counts the days that records are kept",
    "app/services/runs/files.py": "compares with the times of files",
    "app/store/images.py": "compares with the times of files",
    "app/services/runs/spending.py": "tells calls of long ago, which is harmless to get wrong",
    "app/services/spending.py": "counts days back from today",
    "app/web/datasets/kept.py": "compares with the times of files",
    "app/web/fmt.py": "shows how long ago something was",
}


def put_clock_forward(database: Database, seconds: float) -> None:
    """To the lease it is the same whether the clock goes forward or the lease's end goes back."""
    with database.engine.begin() as connection:
        connection.execute(update(Run).values(lease_until=Run.lease_until - seconds))


def lease_s(database: Database) -> float:
    """Seconds that the lease still lasts."""
    with database.engine.connect() as connection:
        left = connection.execute(select(Run.lease_until - epoch_now())).scalar_one()
    return float(left)


async def test_a_live_worker_heals_its_lease_after_either_jump(database: Database) -> None:
    add_run(database)
    claim = claims.claim(database, "run1", "worker")
    assert claim is not None
    journal = SqlJournal(database, claim)
    for seconds in (HOUR, -HOUR):
        put_clock_forward(database, seconds)
        assert claims.abandoned(database) == ["run1"]
        await journal.heartbeat()
        assert claims.abandoned(database) == []
        assert 15 < lease_s(database) <= 20
    journal.stop()


@pytest.mark.parametrize("seconds", [HOUR, -HOUR], ids=["forward", "back"])
async def test_a_dead_worker_is_replaced_at_once_after_either_jump(database: Database, seconds: float) -> None:
    add_run(database)
    first = claims.claim(database, "run1", "worker")
    assert first is not None
    put_clock_forward(database, seconds)
    with database.engine.connect() as connection:
        assert not claims.is_attended(connection, "run1")
    second = claims.claim(database, "run1", "another")
    assert second is not None
    frozen = SqlJournal(database, first)
    with pytest.raises(LeaseLost):
        await frozen.heartbeat()
    frozen.stop()


def test_the_longest_lease_is_no_jump(database: Database) -> None:
    add_run(database)
    assert claims.claim(database, "run1", "worker", ttl_s=claims.LONGEST_LEASE_S) is not None
    assert claims.abandoned(database) == []


@pytest.mark.parametrize(("in_s", "due"), [(-1.0, True), (600.0, False), (HOUR, True)])
def test_a_pause_that_ends_later_than_any_pause_lasts_is_over(database: Database, in_s: float, due: bool) -> None:
    add_run(database)
    with database.engine.begin() as connection:
        connection.execute(update(Run).values(status="paused", resume_at=epoch_now() + in_s))
    assert claims.abandoned(database) == (["run1"] if due else [])


@pytest.mark.parametrize("seconds", [HOUR, -HOUR], ids=["forward", "back"])
async def test_the_shard_of_a_dead_helper_is_taken_again_after_either_jump(database: Database, seconds: float) -> None:
    add_run(database)
    claim = claims.claim(database, "run1", "driver")
    assert claim is not None
    driver, dead, alive = (SqlCrew(database, claim, owner) for owner in ("driver", "dead", "alive"))
    await driver.offer([["work"]])
    taken = await dead.take()
    assert taken is not None
    assert await alive.take() is None
    assert await driver.beat() == 1
    with database.engine.begin() as connection:
        connection.execute(update(ShardRow).values(lease_until=ShardRow.lease_until - seconds))
    assert await driver.beat() == 0
    again = await alive.take()
    assert again is not None
    assert (again.work, again.again) == (["work"], True)


def readings(file: Path) -> Iterator[str]:
    """Where a file reads the wall clock."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            owner = node.value
            name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            if (name, node.attr) in WALL_CLOCK:
                yield f"{file.relative_to(ROOT)}:{node.lineno}"


def test_no_duration_is_measured_by_the_wall_clock() -> None:
    found = [where for file in sorted((ROOT / "app").rglob("*.py")) for where in readings(file)]
    assert {where.partition(":")[0] for where in found} == set(MAY_READ_THE_WALL_CLOCK), found
