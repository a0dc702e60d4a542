"""The simulated provider beyond the contract (test_contract.py): pure, priced, and declared as simulated."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.llm.simulated import MODELS, SimulatedLLM
from app.llm.simulated.chance import chance, pick
from app.ports.llm import Json, Message, ModelRef, Reply, Request, UnknownModel

ROOT = Path(__file__).resolve().parents[2]


def request(text: str, model: str = "simulated/primary", system: str = "Classify.", **params: Json) -> Request:
    return Request(ModelRef(model, params), (Message("system", system), Message("user", text)))


async def complete(asked: Request, llm: SimulatedLLM | None = None) -> Reply:
    return await (llm or SimulatedLLM(latency_s=0.0)).complete(asked, deadline_s=5)


async def test_replies_say_that_they_are_simulated() -> None:
    reply = await complete(request("Where is my parcel?"))
    assert reply.served_model == "simulated"
    assert reply.raw == {"simulated": True}
    assert reply.finish_reason == "stop"


async def test_tokens_are_estimated_at_four_characters_and_priced() -> None:
    llm = SimulatedLLM(latency_s=0.0)
    reply = await complete(request("x" * 40, system="y" * 41), llm)
    price = llm.price(ModelRef("simulated/primary"))
    assert price
    assert (reply.usage.prompt_tokens, reply.usage.estimated) == (10 + 11, True)
    assert reply.usage.completion_tokens == -(-len(reply.text) // 4)
    assert reply.cost_usd == pytest.approx(21 * price.prompt_usd + reply.usage.completion_tokens * price.completion_usd)


async def test_an_unknown_simulated_model_is_refused_by_name() -> None:
    llm = SimulatedLLM()
    with pytest.raises(UnknownModel, match=r"simulated/other is unknown; the simulated models are simulated/primary, "):
        await llm.complete(request("x", "simulated/other"), deadline_s=5)
    assert llm.price(ModelRef("simulated/other")) is None
    assert all(llm.price(ModelRef(name)) for name in MODELS)


async def test_the_latency_is_the_declared_one() -> None:
    began = time.monotonic()
    replies = await asyncio.gather(*(complete(request(str(i)), SimulatedLLM(latency_s=0.05)) for i in range(20)))
    assert time.monotonic() - began < 0.5
    assert all(0.025 <= reply.ttlb_s <= 0.075 for reply in replies)


async def test_the_order_of_calls_changes_nothing() -> None:
    asked = [request(f"message {i % 30}", seed=i % 3) for i in range(90)]
    texts = [(await complete(one)).text for one in asked]
    shuffled = random.Random(1).sample(range(90), 90)
    again = {i: (await complete(asked[i])).text for i in shuffled}
    assert [again[i] for i in range(90)] == texts


def test_another_process_gives_the_same_replies() -> None:
    """Python's own hash differs from process to process; nothing may depend on it."""
    code = (
        "from app.llm.simulated.primary import reply; from app.ports.llm import Message;"
        "p = 'Permitted labels:\\n- a_b: a refund\\n- c_d: a delivery\\n- e_f';"
        "print([reply([Message('system', p), Message('user', f'refund {i} parcel')], {'temperature': 1.0}) for i in range(40)])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("model", MODELS)
@given(
    messages=st.lists(
        st.builds(Message, st.sampled_from(["system", "user", "assistant"]), st.text(max_size=200)), max_size=4
    ),
    seed=st.one_of(st.none(), st.integers()),
    schema=st.sampled_from([None, {}, {"properties": {"edits": {}}}, []]),
)
def test_any_request_gets_a_reply(model: str, messages: list[Message], seed: int | None, schema: Json) -> None:
    asked = Request(ModelRef(model, {"seed": seed}), tuple(messages), schema)
    first, second = asyncio.run(complete(asked)), asyncio.run(complete(asked))
    assert isinstance(first.text, str)
    assert first == second


@given(st.lists(st.text(), min_size=1))
def test_chance_is_a_share_and_picks_an_option(parts: list[str]) -> None:
    assert 0 <= chance(*parts) < 1
    assert pick("abc", *parts) in "abc"


def test_chance_is_even() -> None:
    thrown = [chance("seed", i) for i in range(10_000)]
    assert sum(thrown) / len(thrown) == pytest.approx(0.5, abs=0.01)
    assert sum(t < 0.1 for t in thrown) == pytest.approx(1000, abs=100)
