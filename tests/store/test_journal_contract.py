"""What every journal does, whatever keeps it."""

from __future__ import annotations

import asyncio

import pytest

from app.ports.journal import (
    CallIntent,
    CallResult,
    Journal,
    JournalError,
    JournalUnavailable,
    LeaseLost,
    Sample,
    Step,
)
from app.ports.llm import Usage
from tests.store.worlds import World


def intent(key: str = "call-1", attempt: int = 1, reserved_usd: float | None = 0.25, uncertain: int = 0) -> CallIntent:
    return CallIntent(key, attempt, "primary", "simulated/primary", {"messages": ["hello"]}, reserved_usd, uncertain)


def sample(key: str = "sample-1", score: float = 1.0) -> Sample:
    return Sample(
        key=key,
        candidate="c" * 32,
        case="7",
        repeat=0,
        split="validation",
        outcome="scored",
        score=score,
        feedback="Right.",
        response="Paris",
        scores={"exact_match": score},
        calls=1,
        tokens=12,
        cost_usd=None,
        seconds=0.2,
    )


FULL = CallResult(
    text="Paris",
    finish_reason="stop",
    usage=Usage(10, 2, 1, 3, True),
    cost_usd=0.5,
    ttft_s=0.1,
    ttlb_s=0.2,
    served_model="simulated/primary-1",
    raw={"choices": [1, 2.5, None, {"z": 1, "a": 2}]},
    retries=2,
    wait_s=1.5,
    uncertain=1,
)


async def test_an_intended_call_is_on_record_without_a_result(journal: Journal) -> None:
    await journal.intend(intent())
    record = (await journal.calls(["call-1", "call-2"]))["call-1"]
    assert (record.key, record.attempts, record.result) == ("call-1", 1, None)


async def test_a_settled_call_comes_back_whole(journal: Journal) -> None:
    await journal.intend(intent())
    journal.settle("call-1", FULL)
    assert (await journal.calls(["call-1"]))["call-1"].result == FULL


async def test_a_new_sending_makes_the_fate_unknown_again(journal: Journal) -> None:
    await journal.intend(intent())
    journal.settle("call-1", CallResult("busy", error="rate_limited"))
    await journal.intend(intent(attempt=2))
    record = (await journal.calls(["call-1"]))["call-1"]
    assert (record.attempts, record.result) == (2, None)


async def test_sendings_of_unknown_fate_are_remembered(journal: Journal) -> None:
    await journal.intend(intent(attempt=3, uncertain=2))
    assert (await journal.calls(["call-1"]))["call-1"].uncertain == 2
    journal.settle("call-1", CallResult("late", uncertain=3))
    assert (await journal.calls(["call-1"]))["call-1"].uncertain == 3


async def test_the_first_sample_and_the_first_step_stand(journal: Journal) -> None:
    journal.keep(sample(score=1.0))
    journal.keep(sample(score=0.0))
    journal.keep_step(Step("propose/1", [{"b": 1, "a": (2, 3)}]))
    journal.keep_step(Step("propose/1", "something else"))
    assert await journal.samples(["sample-1", "sample-2"]) == {"sample-1": sample(score=1.0)}
    assert await journal.step("propose/1") == Step("propose/1", [{"b": 1, "a": [2, 3]}])
    assert await journal.step("propose/2") is None


async def test_what_comes_back_keeps_the_order_of_its_keys(journal: Journal) -> None:
    value = {"zebra": 1, "a": 1e22, "mid": {"y": -0.0, "x": [True, None, 1.0]}}
    journal.keep_step(Step("s", value))
    step = await journal.step("s")
    assert step is not None
    assert repr(step.value) == repr(value)


async def test_a_step_may_have_found_nothing(journal: Journal) -> None:
    journal.keep_step(Step("empty", None))
    assert await journal.step("empty") == Step("empty", None)


async def test_totals_tell_what_is_sure_from_what_is_not(journal: Journal) -> None:
    await journal.intend(intent("replied"))
    journal.settle("replied", FULL)
    await journal.intend(intent("unpriced"))
    journal.settle("unpriced", CallResult("x", usage=Usage(5, 1), cost_usd=None))
    await journal.intend(intent("failed"))
    journal.settle("failed", CallResult("too long", error="rejected"))
    await journal.intend(intent("unknown", attempt=1))
    await journal.intend(intent("unknown", attempt=2, uncertain=1))
    await journal.intend(intent("unknown price", reserved_usd=None))
    totals = await journal.totals()
    assert (totals.calls, totals.prompt_tokens, totals.completion_tokens) == (2, 15, 3)
    assert (totals.cost_usd, totals.unpriced_calls) == (0.5, 2)
    assert (totals.uncertain_calls, totals.uncertain_usd) == (1 + 2 + 1, 0.25 + 0.5)


async def test_totals_of_nothing_are_zero(journal: Journal) -> None:
    totals = await journal.totals()
    assert (totals.calls, totals.cost_usd, totals.uncertain_usd) == (0, 0.0, 0.0)


async def test_notes_are_numbered_once_and_stand_among_what_was_told(world: World) -> None:
    journal = world.claim()
    journal.note(1, "baseline", {"score": 0.5})
    journal.tell("progress", {"done": 1})
    journal.note(2, "epoch", {"epoch": 1})
    journal.note(1, "baseline", {"score": 0.9})
    await journal.flush()
    assert world.events() == [
        (1, "baseline", {"score": 0.5}),
        (None, "progress", {"done": 1}),
        (2, "epoch", {"epoch": 1}),
    ]


async def test_a_second_worker_finds_everything_that_was_flushed(world: World) -> None:
    first = world.claim()
    await first.intend(intent())
    first.settle("call-1", FULL)
    first.keep(sample())
    first.keep_step(Step("s", 1))
    first.note(1, "plan", {})
    await first.flush()
    second = world.claim()
    assert (await second.calls(["call-1"]))["call-1"].result == FULL
    assert (await second.samples(["sample-1"]))["sample-1"] == sample()
    assert await second.step("s") == Step("s", 1)
    second.note(1, "plan", {"again": True})
    await second.flush()
    assert world.events() == [(1, "plan", {})]


async def test_the_worker_that_was_fenced_writes_nothing_more(world: World) -> None:
    first = world.claim()
    await first.flush()
    second = world.claim()
    first.keep(sample())
    with pytest.raises(LeaseLost):
        await first.flush()
    with pytest.raises(LeaseLost):
        await first.intend(intent())
    with pytest.raises(LeaseLost):
        await first.heartbeat()
    assert await second.samples(["sample-1"]) == {}
    assert await second.calls(["call-1"]) == {}


async def test_the_heartbeat_hears_the_wish(world: World) -> None:
    journal = world.claim()
    assert await journal.heartbeat() == ""
    world.wish("pause")
    assert await journal.heartbeat() == "pause"


async def test_a_store_that_is_away_stops_the_worker_and_loses_nothing_flushed(world: World) -> None:
    journal = world.claim()
    journal.keep(sample())
    await journal.flush()
    with world.away():
        journal.keep(sample("sample-2"))
        with pytest.raises(JournalUnavailable):
            await journal.flush()
        with pytest.raises(JournalUnavailable):
            await journal.heartbeat()
    assert list(await world.claim().samples(["sample-1"])) == ["sample-1"]


async def test_what_was_waiting_is_written_once_the_store_is_back(world: World) -> None:
    journal = world.claim()
    with world.away():
        journal.note(1, "plan", {})
        with pytest.raises(JournalUnavailable):
            await journal.flush()
        journal.note(2, "baseline", {})
    await journal.flush()
    assert world.events() == [(1, "plan", {}), (2, "baseline", {})]


async def test_a_call_that_was_never_intended_cannot_end(journal: Journal) -> None:
    journal.settle("nobody", FULL)
    with pytest.raises(JournalError):
        await journal.flush()


async def test_unstorable_characters_are_replaced(journal: Journal) -> None:
    await journal.intend(CallIntent("k", 1, "primary", "m", {"t": "a\x00b"}, None))
    journal.settle("k", CallResult("nul \x00, surrogate \ud800", raw={"x\x00": "\udfff"}))
    journal.keep_step(Step("s", ["\x00"]))
    result = (await journal.calls(["k"]))["k"].result
    assert result is not None
    assert result.text == "nul \ufffd, surrogate \ufffd"
    assert result.raw == {"x\ufffd": "\ufffd"}
    assert await journal.step("s") == Step("s", ["\ufffd"])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: "x"}, object()])
async def test_what_json_cannot_hold_is_refused_at_once(journal: Journal, value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        journal.keep_step(Step("s", value))
    with pytest.raises((ValueError, TypeError)):
        journal.note(1, "n", {"value": value})


async def test_many_keys_are_read_at_once(journal: Journal) -> None:
    for number in range(1203):
        journal.keep(sample(f"sample-{number}"))
    found = await journal.samples([f"sample-{number}" for number in range(1300)])
    assert len(found) == 1203
    assert await journal.samples([]) == {}
    assert await journal.calls([]) == {}


async def test_concurrent_calls_do_not_disturb_each_other(journal: Journal) -> None:
    async def call(number: int) -> None:
        await journal.intend(intent(f"call-{number}"))
        journal.settle(f"call-{number}", CallResult(str(number)))
        journal.keep(sample(f"sample-{number}"))

    await asyncio.gather(*(call(number) for number in range(100)))
    records = await journal.calls([f"call-{number}" for number in range(100)])
    assert {key: record.result.text for key, record in records.items() if record.result} == {
        f"call-{number}": str(number) for number in range(100)
    }
    assert len(await journal.samples([f"sample-{number}" for number in range(100)])) == 100


async def test_without_other_runs_a_comparison_is_the_first_however_often_it_is_told(world: World) -> None:
    journal = world.claim()
    for _ in range(2):
        journal.look("test", ["a", "b"])
        assert await journal.comparison("test") == 1
    again = world.claim()
    again.look("test", ["a", "b"])
    assert await again.comparison("test") == 1
    with pytest.raises(LeaseLost):
        await journal.comparison("test")


async def test_a_sending_of_unknown_fate_and_price_is_counted_as_unpriced(journal: Journal) -> None:
    await journal.intend(intent("call-1", reserved_usd=None, uncertain=1))
    await journal.intend(intent("call-2", reserved_usd=0.5))
    totals = await journal.totals()
    assert (totals.unpriced_calls, totals.uncertain_calls, totals.uncertain_usd) == (2, 3, 0.5)
    journal.settle("call-1", CallResult("Paris", cost_usd=0.1, uncertain=1))
    totals = await journal.totals()
    assert (totals.unpriced_calls, totals.cost_usd) == (1, 0.1)
