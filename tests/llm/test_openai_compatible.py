"""What is particular to servers that speak OpenAI's chat API: dialects, addresses, keys, cost of a call."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web

from app.llm import sse
from app.llm.around import Around
from app.llm.failures import error_of
from app.llm.openai_compatible import OpenAICompatible
from app.llm.prices import Prices
from app.ports.llm import ContentFiltered, Json, Message, ModelRef, Price, Rejected, Request, ServerFault, UnknownModel
from tests.fakes.faults import Fault
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.serving import Ledger, ThreadedServer
from tests.llm.worlds import CANARY, INPUT, SCHEMA, SYSTEM


@pytest.fixture(scope="module")
def running() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        assert isinstance(server, OpenAIServer)
        yield server


@pytest.fixture
def server(running: OpenAIServer) -> OpenAIServer:
    running.ledger = Ledger()
    running.refuse = set()
    running.play()
    return running


@pytest.fixture
async def adapter() -> AsyncIterator[OpenAICompatible]:
    adapter = OpenAICompatible(around=Around({"OPENAI_API_KEY": CANARY, "AZURE_API_KEY": "azure-key"}))
    yield adapter
    await adapter.aclose()


def request(
    server: OpenAIServer, model: str = "openai/rule", *, schema: Json = None, base: str = "/v1", **params: Json
) -> Request:
    return Request(
        ModelRef(model, params, server.url + base), (Message("system", SYSTEM), Message("user", INPUT)), schema
    )


def adjusted(raw: Json) -> dict[str, Json]:
    return {one["param"]: one["action"] for one in raw.get("adjustments", [])}


async def test_reasoning_models_choose_their_temperature(server: OpenAIServer, adapter: OpenAICompatible) -> None:
    reply = await adapter.complete(
        request(server, "openai/gpt-5-mini", temperature=0, max_output_tokens=900, reasoning_effort="low"), deadline_s=5
    )

    body = server.ledger.log[-1].body
    assert "temperature" not in body
    assert "max_tokens" not in body
    assert (body["max_completion_tokens"], body["reasoning_effort"]) == (900, "low")
    assert adjusted(reply.raw) == {"temperature": "drop"}
    assert server.ledger.requests == 1


async def test_other_models_keep_their_temperature(server: OpenAIServer, adapter: OpenAICompatible) -> None:
    reply = await adapter.complete(request(server, "openai/gpt-5-chat-latest", temperature=1, seed=7), deadline_s=5)

    assert server.ledger.log[-1].body["temperature"] == 1
    assert server.ledger.log[-1].body["seed"] == 7
    assert adjusted(reply.raw) == {}


async def test_thinking_is_measured_and_kept_apart(server: OpenAIServer, adapter: OpenAICompatible) -> None:
    reply = await adapter.complete(request(server, "openai/some-reasoner"), deadline_s=5)

    assert reply.text == "card_arrival"
    assert reply.usage.reasoning_tokens > 0
    assert reply.usage.completion_tokens > reply.usage.reasoning_tokens
    assert "think" in reply.raw["reasoning"]


async def test_a_server_without_schemas_is_asked_for_json_and_remembered(
    server: OpenAIServer, adapter: OpenAICompatible
) -> None:
    server.refuse = {"json_schema"}

    first = await adapter.complete(request(server, schema=SCHEMA), deadline_s=5)
    again = await adapter.complete(request(server, schema=SCHEMA), deadline_s=5)

    assert server.ledger.log[-1].body["response_format"] == {"type": "json_object"}
    assert (server.ledger.requests, server.ledger.paid) == (3, 2)
    assert adjusted(first.raw) == adjusted(again.raw) == {"response_schema": "rename"}


async def test_a_server_without_any_form_is_asked_in_words_only(
    server: OpenAIServer, adapter: OpenAICompatible
) -> None:
    server.refuse = {"json_schema", "json_object"}

    reply = await adapter.complete(request(server, schema=SCHEMA), deadline_s=5)

    assert "response_format" not in server.ledger.log[-1].body
    assert adjusted(reply.raw) == {"response_schema": "drop"}


async def test_words_that_a_server_does_not_know_are_left_out(server: OpenAIServer, adapter: OpenAICompatible) -> None:
    server.refuse = {"seed", "stream_options", "max_tokens"}

    reply = await adapter.complete(request(server, seed=7, max_output_tokens=50), deadline_s=5)
    asked = server.ledger.requests
    await adapter.complete(request(server, seed=8, max_output_tokens=50), deadline_s=5)

    assert adjusted(reply.raw) == {"seed": "drop"}
    assert reply.usage.estimated, "without stream_options nothing is reported"
    assert server.ledger.log[-1].body["max_completion_tokens"] == 50
    assert server.ledger.requests == asked + 1, "what was learned is remembered"


async def test_a_server_that_cannot_stream_is_asked_for_the_whole(
    server: OpenAIServer, adapter: OpenAICompatible
) -> None:
    server.refuse = {"stream"}

    reply = await adapter.complete(request(server), deadline_s=5)

    assert (reply.text, reply.ttft_s) == ("card_arrival", None)
    assert not reply.usage.estimated


@pytest.mark.parametrize("kind", ["malformed", "not_json_object", "no_choices", "truncated", "html"])
async def test_a_whole_answer_that_is_broken_is_a_server_fault(
    server: OpenAIServer, adapter: OpenAICompatible, kind: str
) -> None:
    server.refuse = {"stream"}
    await adapter.complete(request(server), deadline_s=5)
    server.play(Fault(kind))

    with pytest.raises(ServerFault) as caught:
        await adapter.complete(request(server), deadline_s=5)

    assert caught.value.maybe_paid


async def test_a_refusal_of_what_was_asked_is_not_negotiated(server: OpenAIServer, adapter: OpenAICompatible) -> None:
    server.play(Fault("400"), Fault("filtered_input"))

    with pytest.raises(Rejected, match="longer than the model"):
        await adapter.complete(request(server, schema=SCHEMA, seed=1), deadline_s=5)
    with pytest.raises(ContentFiltered):
        await adapter.complete(request(server, schema=SCHEMA, seed=1), deadline_s=5)

    assert server.ledger.requests == 2


async def test_a_refusal_inside_a_good_status_keeps_its_meaning(
    server: OpenAIServer, adapter: OpenAICompatible
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'data: {"error": {"code": 429, "message": "Rate limit reached, try again in 2s"}}\n\n'

    with pytest.raises(sse.RefusedInside) as caught:
        await sse.read_stream(chunks(), time.perf_counter)
    error = error_of(caught.value.refusal)

    assert error.label == "rate_limited"
    assert caught.value.refusal.retry_after == 2


async def test_azure_gets_its_own_address_and_header(server: OpenAIServer, adapter: OpenAICompatible) -> None:
    await adapter.complete(request(server, "azure/my-deployment", base=""), deadline_s=5)

    sent = server.ledger.log[-1]
    assert sent.path == "/openai/deployments/my-deployment/chat/completions"
    assert "api-version=" in sent.query
    assert sent.headers["api-key"] == "azure-key"
    assert "authorization" not in sent.headers


async def test_the_key_goes_to_this_machine(server: OpenAIServer, adapter: OpenAICompatible) -> None:
    await adapter.complete(request(server), deadline_s=5)

    assert server.ledger.log[-1].headers["authorization"] == f"Bearer {CANARY}"


class _Redirecting(ThreadedServer):
    """Sends everybody elsewhere."""

    def application(self) -> web.Application:
        async def elsewhere(request: web.Request) -> web.Response:
            self.ledger.requests += 1
            raise web.HTTPTemporaryRedirect("/elsewhere")

        app = web.Application()
        app.add_routes([web.post("/{path:.*}", elsewhere)])
        return app


async def test_a_redirect_is_not_followed(adapter: OpenAICompatible) -> None:
    with _Redirecting() as server, pytest.raises(UnknownModel, match="redirects"):
        await adapter.complete(
            Request(ModelRef("openai/x", api_base=server.url), (Message("user", "x"),)), deadline_s=5
        )

    assert server.ledger.requests == 1


async def test_the_cost_is_what_the_tokens_cost(server: OpenAIServer) -> None:
    adapter = OpenAICompatible(Prices({"openai/rule": Price(1e-3, 1e-2)}), Around({}))

    reply = await adapter.complete(request(server), deadline_s=5)
    unpriced = await adapter.complete(request(server, "openai/unheard-of"), deadline_s=5)
    await adapter.aclose()

    assert reply.cost_usd == pytest.approx(reply.usage.prompt_tokens * 1e-3 + reply.usage.completion_tokens * 1e-2)
    assert unpriced.cost_usd is None


async def test_a_large_answer_arrives_whole(server: OpenAIServer, adapter: OpenAICompatible) -> None:
    long = "x" * 5_000_000
    world = server.world
    server.world = type("Long", (), {"answer": lambda self, messages: long})()
    try:
        reply = await adapter.complete(request(server), deadline_s=10)
    finally:
        server.world = world

    assert reply.text == long


def test_one_adapter_serves_one_event_loop_after_another(server: OpenAIServer) -> None:
    adapter = OpenAICompatible(around=Around({}))

    async def once() -> str:
        reply = await adapter.complete(request(server), deadline_s=5)
        await adapter.aclose()
        return reply.text

    assert asyncio.run(once()) == asyncio.run(once()) == "card_arrival"


async def test_a_call_takes_little_of_the_processor(server: OpenAIServer, adapter: OpenAICompatible) -> None:
    await adapter.complete(request(server), deadline_s=5)
    began = time.thread_time()  # the server works in another thread

    await asyncio.gather(*(adapter.complete(request(server), deadline_s=30) for _ in range(300)))

    assert (time.thread_time() - began) / 300 < 0.003
