"""The promises of the engine: durable, cancellable, budgeted, deterministic."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from app.core import run as engine
from app.core.budget import Budget, Limits
from app.core.desk import Policy
from app.core.halt import BudgetReached, Cancelled, Paused, ProviderDown
from app.core.model import Ask, Candidate, Case, Exam, Response, Score
from app.core.responders.single_turn import SingleTurn
from app.core.run import Run
from app.ports.journal import CallIntent, LeaseLost, Totals, Wish
from app.ports.llm import (
    CallError,
    ContentFiltered,
    Json,
    Message,
    RateLimited,
    Reply,
    Request,
    ServerFault,
    Unauthorized,
)
from app.store.memory import MemoryJournal, MemoryRecord
from tests.fakes.llm import MODEL, RuleLLM

CASES = [Case(str(i), f"input {i}", f"input {i}"[::-1]) for i in range(20)]
CANDIDATE = Candidate("reverse", "", MODEL)
FAST = Policy(deadline_s=5, sendings=3, backoff_s=0.001, longest_wait_s=0.01, circuit=4)


class Equal:
    """Scores 1 when the answer is the reference."""

    @property
    def spec(self) -> Json:
        return {"name": "equal"}

    async def score(self, case: Case, response: Response, ask: Ask) -> Score:
        return Score(float(response.text == case.reference), "wrong" if response.text != case.reference else "")


EXAM = Exam(SingleTurn(), Equal())


def reverse(request: Request) -> str:
    return request.messages[-1].content[::-1]


def start(
    llm: RuleLLM,
    record: MemoryRecord,
    *,
    limits: Limits | None = None,
    concurrency: int = 4,
    totals: Totals | None = None,
    policy: Policy = FAST,
) -> Run:
    budget = Budget(limits or Limits(), totals or Totals())
    return Run(llm, record.claim(), budget, policy, concurrency=concurrency, resumed=record.fence > 0)


async def everything(run: Run) -> float:
    report = await run.evaluate([CANDIDATE], CASES, EXAM)
    run.note("scored", scores=[s.score for s in report.samples])
    return sum(s.score or 0 for s in report.samples)


async def test_evaluates_every_case_in_order_with_bounded_concurrency() -> None:
    llm, record = RuleLLM(reverse, latency_s=0.002), MemoryRecord()
    assert await start(llm, record).conduct(everything) == 20
    assert llm.peak == 4
    assert [s.case for s in record.samples.values()] != []
    assert record.history[0].data == {"scores": [1.0] * 20}


async def test_a_second_claim_buys_nothing_again_and_repeats_the_history() -> None:
    llm, record = RuleLLM(reverse), MemoryRecord()
    await start(llm, record).conduct(everything)
    before = list(record.history)
    assert await start(llm, record).conduct(everything) == 20
    assert len(llm.paid) == 20
    assert record.history == before


async def test_the_same_piece_is_bought_once_within_a_run() -> None:
    llm, record = RuleLLM(reverse), MemoryRecord()

    async def twice(run: Run) -> None:
        await run.evaluate([CANDIDATE], CASES[:5], EXAM)
        await run.evaluate([CANDIDATE], CASES, EXAM)

    await start(llm, record).conduct(twice)
    assert len(llm.paid) == 20


async def test_a_step_is_done_once_and_its_calls_too() -> None:
    llm, record = RuleLLM(reverse), MemoryRecord()

    async def kind(run: Run) -> Json:
        async def work(ask: Ask) -> Json:
            first = await ask("optimizer", MODEL, [Message("user", "ab")])
            return {"text": first.text, "pair": (1, 2)}

        return await run.step("propose/1", work)

    first = await start(llm, record).conduct(kind)
    assert first == {"text": "ba", "pair": [1, 2]}
    assert await start(llm, record).conduct(kind) == first
    assert len(llm.paid) == 1
    record.steps.clear()  # as if the worker died between the call and the end of the step
    assert await start(llm, record).conduct(kind) == first
    assert len(llm.paid) == 1


async def test_transient_failures_are_retried_and_counted() -> None:
    failed: set[str] = set()

    def rule(request: Request) -> str | CallError:
        text = request.messages[-1].content
        if text not in failed:
            failed.add(text)
            return RateLimited("slow down", retry_after=0.001)
        return text[::-1]

    llm, record = RuleLLM(rule), MemoryRecord()
    assert await start(llm, record).conduct(everything) == 20
    assert llm.sent == 40
    assert all(c.result and c.result.retries == 1 and c.intent.attempt == 2 for c in record.calls.values())


async def test_a_long_wait_is_told_with_its_cause() -> None:
    asked: list[Request] = []

    def rule(request: Request) -> str | CallError:
        asked.append(request)
        return RateLimited("too many requests", retry_after=0.008) if len(asked) == 1 else reverse(request)

    record = MemoryRecord()
    told = replace(FAST, worth_telling_s=0.005)
    await start(RuleLLM(rule), record, policy=told).conduct(lambda run: run.evaluate([CANDIDATE], CASES[:1], EXAM))
    waits = [e.data for e in record.events if e.name == "wait"]
    assert [(w["model"], w["why"]) for w in waits] == [("simulated/test", "too many requests")]


async def test_a_failed_call_is_a_failed_sample_and_never_a_wrong_answer() -> None:
    def rule(request: Request) -> str | CallError:
        text = request.messages[-1].content
        if text.endswith("3"):
            return ServerFault("500")
        return ContentFiltered("blocked") if text.endswith("4") else text[::-1]

    llm, record = RuleLLM(rule), MemoryRecord()
    assert await start(llm, record).conduct(everything) == 16
    outcomes = {s.case: (s.outcome, s.score) for s in record.samples.values()}
    assert outcomes["3"] == ("provider_error", None)
    assert outcomes["14"] == ("refused", None)
    assert len(outcomes) == 20


@pytest.mark.parametrize("error", [Unauthorized("no key"), ServerFault("500")])
async def test_a_provider_that_is_down_pauses_and_leaves_no_failed_samples(error: CallError) -> None:
    llm, record = RuleLLM(lambda _: error), MemoryRecord()
    with pytest.raises(ProviderDown, match="simulated/test"):
        await start(llm, record).conduct(everything)
    assert record.samples == {}
    assert record.totals().calls == 0
    llm.rule = reverse
    assert await start(llm, record).conduct(everything) == 20


async def test_a_provider_that_goes_down_in_the_middle_leaves_no_failed_samples() -> None:
    llm, record = RuleLLM(lambda r: reverse(r) if len(llm.paid) < 10 else ServerFault("500")), MemoryRecord()
    with pytest.raises(ProviderDown, match="calls in a row failed"):
        await start(llm, record).conduct(everything)
    assert [s.outcome for s in record.samples.values()] == ["scored"] * 10
    llm.rule = reverse
    assert await start(llm, record).conduct(everything) == 20


async def test_an_evaluation_without_a_single_answer_pauses_even_when_it_is_small() -> None:
    llm, record = RuleLLM(lambda _: ServerFault("500")), MemoryRecord()
    with pytest.raises(ProviderDown, match="none of 2 pieces"):
        await start(llm, record).conduct(lambda run: run.evaluate([CANDIDATE], CASES[:2], EXAM))
    assert record.samples == {}


@pytest.mark.parametrize(("wish", "halt"), [("pause", Paused), ("cancel", Cancelled)])
async def test_a_wish_is_heard_and_nothing_is_bought_after_it(
    wish: str, halt: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "HEARTBEAT_S", 0.01)
    llm, record = RuleLLM(reverse, latency_s=0.02), MemoryRecord()
    record_wish: Callable[[], None] = lambda: setattr(record, "wish", wish)  # noqa: E731
    asyncio.get_running_loop().call_later(0.03, record_wish)
    with pytest.raises(halt):
        await start(llm, record, concurrency=2).conduct(everything)
    assert 0 < len(llm.paid) < 20
    assert len(record.samples) == len(llm.paid)  # what was under way was kept
    record.wish = ""
    assert await start(llm, record).conduct(everything) == 20
    assert len(llm.paid) == 20


async def test_a_hanging_call_does_not_hold_up_a_cancel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "HEARTBEAT_S", 0.01)
    monkeypatch.setattr(engine, "GRACE_S", 0.05)
    llm, record = RuleLLM(reverse, latency_s=4), MemoryRecord()
    record_wish: Callable[[], None] = lambda: setattr(record, "wish", "cancel")  # noqa: E731
    asyncio.get_running_loop().call_later(0.03, record_wish)
    began = time.monotonic()
    with pytest.raises(Cancelled):
        await start(llm, record).conduct(everything)
    assert time.monotonic() - began < 2
    assert record.totals().uncertain_calls == len(record.calls) == 4


@pytest.mark.parametrize(("wish", "halt"), [("pause", Paused), ("cancel", Cancelled)])
async def test_a_wish_from_before_the_claim_is_heard_before_the_first_call(wish: Wish, halt: type[Exception]) -> None:
    llm, record = RuleLLM(reverse), MemoryRecord()
    record.wish = wish
    with pytest.raises(halt):
        await start(llm, record).conduct(everything)
    assert llm.sent == 0


async def test_a_call_that_was_written_down_when_the_run_halted_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "HEARTBEAT_S", 0.01)

    class Slow(MemoryJournal):
        async def intend(self, intent: CallIntent) -> None:
            await super().intend(intent)
            record.wish = "pause"
            await asyncio.sleep(0.1)

    llm, record = RuleLLM(reverse), MemoryRecord()
    record.fence = 1
    run = Run(llm, Slow(record, 1), Budget(Limits(), Totals()), FAST, concurrency=4, resumed=False)
    with pytest.raises(Paused):
        await run.conduct(everything)
    assert llm.sent == 0
    assert len(record.calls) == 4
    assert record.totals().uncertain_calls == 0
    record.wish = ""
    assert await start(llm, record).conduct(everything) == 20


async def test_a_worker_that_lost_its_lease_buys_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "HEARTBEAT_S", 0.01)
    llm, record = RuleLLM(reverse, latency_s=0.02), MemoryRecord()
    asyncio.get_running_loop().call_later(0.03, record.claim)
    with pytest.raises(LeaseLost):
        await start(llm, record, concurrency=2).conduct(everything)
    assert len(llm.paid) < 8


@pytest.mark.parametrize(
    ("limits", "most"),
    [(Limits(calls=7), 7), (Limits(usd=7e-5), 20), (Limits(tokens=90), 20)],
)
async def test_no_limit_is_overshot(limits: Limits, most: int) -> None:
    llm, record = RuleLLM(reverse, latency_s=0.001), MemoryRecord()
    with pytest.raises(BudgetReached, match="limit of"):
        await start(llm, record, limits=limits, concurrency=8).conduct(everything)
    totals = record.totals()
    assert 0 < len(llm.paid) <= most
    assert len(record.samples) == len(llm.paid)
    assert totals.cost_usd <= (limits.usd or 1)
    assert totals.prompt_tokens + totals.completion_tokens <= (limits.tokens or 10**9)
    with pytest.raises(BudgetReached):  # the limit is the run's, not the claim's
        await start(llm, record, limits=limits, totals=totals).conduct(everything)


async def test_the_last_call_within_the_limit_does_not_halt_a_finished_run() -> None:
    llm, record = RuleLLM(reverse), MemoryRecord()
    assert await start(llm, record, limits=Limits(calls=20)).conduct(everything) == 20


async def test_wall_time_is_a_limit() -> None:
    llm, record = RuleLLM(reverse, latency_s=0.05), MemoryRecord()
    with pytest.raises(BudgetReached, match="minutes"):
        await start(llm, record, limits=Limits(minutes=0.06 / 60)).conduct(everything)


async def _asked(ask: Ask) -> Json:
    return (await ask("optimizer", MODEL, [Message("user", "ab")])).text


async def test_progress_is_told_and_is_no_history() -> None:
    record = MemoryRecord()

    async def kind(run: Run) -> None:
        await run.step("propose/1", _asked)
        await everything(run)

    await start(RuleLLM(reverse), record).conduct(kind)
    told = [e for e in record.events if e.name == "progress"]
    assert told
    assert told[-1].data["done"] == told[-1].data["total"] == 20
    assert told[-1].data["fraction"] == 1.0
    spent = record.totals()
    assert told[-1].data["calls"] == spent.calls
    assert told[-1].data["tokens"] == spent.prompt_tokens + spent.completion_tokens
    assert told[-1].data["cost_usd"] == pytest.approx(spent.cost_usd)
    assert [e.name for e in record.history] == ["scored"]


@pytest.mark.parametrize("raw", [{"logprob": float("nan")}, {1: "x"}, {"odd": object()}])
async def test_a_body_that_cannot_be_stored_costs_only_itself(raw: Json) -> None:
    class Odd(RuleLLM):
        async def complete(self, request: Request, *, deadline_s: float) -> Reply:
            return replace(await super().complete(request, deadline_s=deadline_s), raw=raw)

    record = MemoryRecord()
    assert await start(Odd(reverse), record).conduct(everything) == 20
    assert {call.result.raw for call in record.calls.values() if call.result} == {None}
