"""The search may not spend what the sealed test needs, however long the prompts become."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.budget import Limits
from app.core.kinds.train import train
from app.ports.llm import CallError, Request
from app.store.memory import MemoryRecord
from tests.core.training_world import OPTIMIZER, engine, models, training
from tests.fakes.llm import RuleLLM

BABBLE = "Read the message with care before you answer it. " * 40


def wordy() -> RuleLLM:
    """Models whose optimiser finds the right words, and a thousand others."""
    llm = models(junk=0.0)
    sensible = llm.rule

    def rule(request: Request) -> str | CallError:
        answer = sensible(request)
        if request.model != OPTIMIZER or not isinstance(answer, str):
            return answer
        found = json.loads(answer)
        return json.dumps(found | {"system_prompt": found["system_prompt"] + "\n" + BABBLE + str(len(llm.paid))})

    llm.rule = rule
    return llm


async def outcome(limits: Limits) -> tuple[Any, RuleLLM, MemoryRecord]:
    llm, record = wordy(), MemoryRecord()
    spec = training(epochs=8, patience=8, max_prompt_chars=20_000)
    run = engine(llm, record.claim(), limits=limits)
    return await run.conduct(lambda run: train(run, spec)), llm, record


@pytest.mark.parametrize("share", [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
@pytest.mark.parametrize("unit", ["usd", "tokens"])
async def test_a_longer_prompt_keeps_back_more_for_its_test(unit: str, share: float) -> None:
    free, _, record = await outcome(Limits())
    assert free["accepted"] > 0
    spent = record.totals()
    limits = (
        Limits(usd=spent.cost_usd * share)
        if unit == "usd"
        else Limits(tokens=int((spent.prompt_tokens + spent.completion_tokens) * share))
    )
    ended, _, record = await outcome(limits)
    spent = record.totals()
    assert ended["stopped_by"] == "budget"
    assert ended["test"]
    assert ended["test"]["paired"]["n"] == 24
    assert spent.cost_usd <= (limits.usd or 1e9)
    assert spent.prompt_tokens + spent.completion_tokens <= (limits.tokens or 10**9)
