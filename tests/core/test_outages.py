"""After an outage one call goes ahead alone; calls that were cut off are repeated, left out, or asked about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.budget import Budget, Limits
from app.core.desk import OnUncertain, Policy
from app.core.halt import ProviderDown, Undecided
from app.core.run import Run
from app.ports.llm import CallError, Request, ServerFault, Unauthorized
from app.store.memory import MemoryRecord
from tests.core.test_run import CANDIDATE, CASES, EXAM, FAST, everything, reverse
from tests.fakes.llm import RuleLLM


def start(llm: RuleLLM, record: MemoryRecord, policy: Policy) -> Run:
    return Run(llm, record.claim(), Budget(Limits(), record.totals()), policy, concurrency=8, resumed=record.fence > 0)


async def test_after_an_outage_one_call_tries_the_provider_for_all() -> None:
    llm, record = RuleLLM(lambda _: ServerFault("500"), latency_s=0.001), MemoryRecord()
    unproven = replace(FAST, unproven=True)
    with pytest.raises(ProviderDown, match="the first call after an outage") as down:
        await start(llm, record, unproven).conduct(everything)
    assert down.value.by_itself
    assert llm.peak == 1
    assert llm.sent == FAST.sendings
    llm.rule = reverse
    assert await start(llm, record, unproven).conduct(everything) == 20
    assert llm.peak > 1  # and once it has answered, all go on


async def test_a_wrong_key_does_not_pass_by_itself() -> None:
    with pytest.raises(ProviderDown) as down:
        await start(RuleLLM(lambda _: Unauthorized("no key")), MemoryRecord(), FAST).conduct(everything)
    assert not down.value.by_itself


async def cut_off(record: MemoryRecord, llm: RuleLLM) -> None:
    """Let a worker die with 3 of its 20 calls under way."""
    await start(llm, record, FAST).conduct(everything)
    for sample in list(record.samples.values())[5:8]:
        del record.samples[sample.key]
        call = next(call for key, call in record.calls.items() if key.startswith(sample.key))
        call.result = None
    llm.paid.clear()


@pytest.mark.parametrize(("rule", "bought"), [("repeat", 3), ("skip", 0)])
async def test_calls_that_were_cut_off_are_repeated_or_left_out(rule: OnUncertain, bought: int) -> None:
    llm, record = RuleLLM(reverse), MemoryRecord()
    await cut_off(record, llm)
    assert record.totals().open_calls == 3
    await start(llm, record, replace(FAST, on_uncertain=rule)).conduct(everything)
    assert len(llm.paid) == bought
    outcomes = sorted(s.outcome for s in record.samples.values())
    assert outcomes == ["provider_error"] * (3 - bought) + ["scored"] * (17 + bought)
    totals = record.totals()
    assert (totals.open_calls, totals.uncertain_calls) == (0, 3)
    assert totals.uncertain_usd > 0


async def test_a_run_may_ask_before_it_repeats_anything() -> None:
    llm, record = RuleLLM(reverse), MemoryRecord()
    await cut_off(record, llm)
    asking = replace(FAST, on_uncertain="ask")
    with pytest.raises(Undecided, match="3 calls were cut off"):
        await start(llm, record, asking).conduct(everything)
    assert llm.paid == []


async def test_each_model_has_its_own_circuit() -> None:
    judge = replace(CANDIDATE, model=replace(CANDIDATE.model, name="simulated/judge"))

    def rule(request: Request) -> str | CallError:
        return ServerFault("500") if request.model.name == "simulated/judge" else reverse(request)

    llm, record = RuleLLM(rule), MemoryRecord()
    with pytest.raises(ProviderDown, match=r"simulated/judge: \d+ calls in a row"):
        await start(llm, record, FAST).conduct(lambda run: run.evaluate([CANDIDATE, judge], CASES, EXAM))
