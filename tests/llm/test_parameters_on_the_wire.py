"""What the registry lets through arrives in the provider's spelling, and nothing of it steers LiteLLM itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.core.params import resolve
from app.ports.llm import Json, Price
from tests.llm.worlds import WORLDS

pytestmark = pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning")  # LiteLLM's own affair


async def body(name: str, **params: Json) -> Any:
    """The body that the world's server gets for these parameters, resolved for its model first."""
    world = next(world for world in WORLDS if world.name == name)
    with world.server() as server:
        request = world.request(server)
        resolved = resolve(request.model.name, params)
        adapter = world.adapter()
        try:
            await adapter.complete(world.request(server, **resolved.params), deadline_s=20)
        finally:
            await adapter.aclose()
        return server.ledger.log[-1].body


async def test_claude_gets_a_budget_for_thinking_and_what_nobody_lists() -> None:
    sent = await body(
        "litellm_anthropic", thinking_budget=2048, max_output_tokens=4096, inference_geo="us", temperature=1
    )
    assert sent["thinking"] == {"type": "enabled", "budget_tokens": 2048}
    assert sent["inference_geo"] == "us"


async def test_gemini_on_vertex_ai_gets_its_budget_in_its_own_words() -> None:
    sent = await body("vertex", thinking_budget=512, top_k=3)
    config = sent["generationConfig"]
    assert int(config["thinkingConfig"]["thinkingBudget"]) == 512
    assert int(config["topK"]) == 3


async def test_a_server_of_openai_s_kind_gets_them_by_name() -> None:
    sent = await body("openai_compatible", stop="END", logit_bias={"5": 1}, max_tokens=77)
    assert sent["stop"] == ["END"]
    assert sent["logit_bias"] == {"5": 1}
    assert sent["max_tokens"] == 77


@pytest.mark.parametrize("control", ["mock_response", "custom_llm_provider", "fallbacks", "caching", "model_list"])
@pytest.mark.parametrize("name", ["litellm_groq", "litellm_anthropic"])
async def test_litellm_s_own_arguments_steer_nothing(name: str, control: str) -> None:
    sent = await body(name, **{control: "x"})  # had it been obeyed, no request would have come
    assert control not in sent


async def test_an_openai_compatible_provider_gets_what_nobody_lists() -> None:
    assert (await body("litellm_groq", some_news={"a": [1]}))["some_news"] == {"a": [1]}


async def test_a_region_leads_the_call_there() -> None:
    world = next(world for world in WORLDS if world.name == "vertex")
    with world.server() as server:
        request = world.request(server)
        adapter = world.adapter()
        await adapter.complete(replace(request, model=replace(request.model, region="europe-west4")), deadline_s=20)
        await adapter.complete(request, deadline_s=20)
        await adapter.aclose()
        there, usual = (record.path for record in list(server.ledger.log)[-2:])
    assert "/locations/europe-west4/" in there
    assert "/locations/global/" in usual


async def test_a_call_costs_what_its_config_says() -> None:
    world = next(world for world in WORLDS if world.name == "openai_compatible")
    with world.server() as server:
        request = world.request(server)
        adapter = world.adapter()
        priced = replace(request, model=replace(request.model, price=Price(1.0, 100.0)))
        reply = await adapter.complete(priced, deadline_s=20)
        free = await adapter.complete(request, deadline_s=20)
        await adapter.aclose()
    assert reply.cost_usd == reply.usage.prompt_tokens + 100 * reply.usage.completion_tokens
    assert free.cost_usd is None
