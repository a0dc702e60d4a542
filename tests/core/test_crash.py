"""Every kind of run in the catalogue may be cut short at any write to its journal, and ends as if it had not been."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.core.catalog import KINDS
from app.ports.llm import Json
from app.ports.scoring import Tools
from app.services.drive import prepare
from app.store.database import Database
from app.store.memory import MemoryRecord
from app.store.models import Run
from tests.core.crash import Crash, CrashingJournal
from tests.core.training_world import engine
from tests.fakes.llm import RuleLLM
from tests.faults.kinds import small

CONCURRENCY = 4
NEVER = 10**9


class World:
    """A small run of one kind, made ready."""

    def __init__(self, kind: str, folder: Path) -> None:
        self._kind, self._rule, self.writes = KINDS[kind], small(kind).rule, small(kind).writes
        with Database(f"sqlite:///{folder}/app.db") as database:
            database.upgrade()
            with database.session() as session:
                run = session.get_one(Run, small(kind).queue(session, {}))
            self._prepared = prepare(database, self._kind, run.spec, Tools())

    def llm(self) -> RuleLLM:
        """Its models."""
        return RuleLLM(self._rule)

    async def conduct(self, llm: RuleLLM, journal: Any, *, resumed: bool = False) -> Json:
        """Its outcome."""
        return await engine(llm, journal, resumed=resumed).conduct(lambda run: self._kind.execute(run, self._prepared))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("flushing", [True, False], ids=["written", "buffer lost"])
async def test_a_crash_at_some_writes_changes_nothing_and_buys_nothing_twice(
    kind: str, flushing: bool, tmp_path: Path
) -> None:
    """Every sixth write, and others where the buffer is lost than where it is written."""
    await crash(World(kind, tmp_path), flushing, slice(1 if flushing else 4, None, 6))


@pytest.mark.faults
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("flushing", [True, False], ids=["written", "buffer lost"])
async def test_a_crash_at_any_write_changes_nothing_and_buys_nothing_twice(
    kind: str, flushing: bool, tmp_path: Path
) -> None:
    await crash(World(kind, tmp_path), flushing, slice(None))


async def crash(world: World, flushing: bool, writes: slice) -> None:
    """Byte for byte the undisturbed run's outcome and history, and the bill contains the truth."""
    undisturbed = MemoryRecord()
    llm = world.llm()
    counting = CrashingJournal(undisturbed.claim(), at=NEVER, flushing=True)
    outcome = await world.conduct(llm, counting)
    expected = json.dumps([outcome, [e[1:] for e in undisturbed.history]])
    assert counting.writes > world.writes
    for at in range(1, counting.writes + 1)[writes]:
        record, again = MemoryRecord(), world.llm()
        with pytest.raises(Crash):
            await world.conduct(again, CrashingJournal(record.claim(), at, flushing=flushing))
        resumed = await world.conduct(again, record.claim(), resumed=True)
        assert json.dumps([resumed, [e[1:] for e in record.history]]) == expected, f"crash at write {at}"
        assert len(again.paid) - len(llm.paid) <= CONCURRENCY, f"crash at write {at}"
        totals = record.totals()
        assert totals.calls <= len(again.paid) <= totals.calls + totals.uncertain_calls, f"crash at write {at}"


def test_a_kind_without_a_small_run_is_pointed_out() -> None:
    with pytest.raises(AssertionError, match=r"add one to kinds\.py"):
        small("a kind that somebody has just added")
