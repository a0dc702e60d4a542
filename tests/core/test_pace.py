"""Sendings keep to the rate limit: evenly spaced after a small burst, whoever asks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.budget import Budget, Limits
from app.core.pace import LocalPace, interval_s, tolerance_s
from app.core.run import Run
from app.ports.journal import Totals
from app.ports.pace import Lane
from app.store.memory import MemoryRecord
from tests.core.test_run import CANDIDATE, CASES, EXAM, FAST, reverse
from tests.fakes.llm import MODEL, RuleLLM


class Clock:
    """Time that passes when it is told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_turns_are_evenly_spaced() -> None:
    clock = Clock()
    pace = LocalPace(clock)
    lane = Lane("m@here", 30.0)
    assert [await pace.turn(lane) for _ in range(4)] == [0.0, 2.0, 4.0, 6.0]
    clock.now += 7
    assert await pace.turn(lane) == pytest.approx(1.0)
    clock.now += 60  # an idle lane saves nothing up beyond its burst
    assert [await pace.turn(lane) for _ in range(2)] == [0.0, 2.0]


async def test_a_burst_is_as_large_as_one_second_allows() -> None:
    clock = Clock()
    pace = LocalPace(clock)
    lane = Lane("m@here", 300.0)
    waits = [round(await pace.turn(lane), 6) for _ in range(7)]
    assert waits == [0, 0, 0, 0, 0, 0.2, 0.4]
    assert (interval_s(300), round(tolerance_s(300), 6)) == (0.2, 0.8)
    assert tolerance_s(59) == 0


async def test_lanes_do_not_hinder_each_other() -> None:
    pace = LocalPace(Clock())
    assert [await pace.turn(Lane(name, 1.0)) for name in ("a", "b", "a")] == [0.0, 0.0, 60.0]


async def test_a_run_waits_for_its_turns_and_records_it() -> None:
    record = MemoryRecord()
    policy = replace(FAST, lanes={MODEL.name: Lane("test@here", 59.0 * 60)})
    run = Run(RuleLLM(reverse), record.claim(), Budget(Limits(), Totals()), policy, concurrency=70, resumed=False)
    cases = [replace(CASES[0], id=str(n), input=f"input {n}") for n in range(65)]
    await run.conduct(lambda run: run.evaluate([CANDIDATE], cases, EXAM))
    waits = [call.result.throttled_s for call in record.calls.values() if call.result]
    assert 0 < sum(wait > 0 for wait in waits) <= 65 - 59
    assert max(waits) <= 7 / 59
    assert {call.intent.lane for call in record.calls.values()} == {"test@here"}
