"""What is particular to Vertex AI: its resources, its schema, thinking, safety, quotas, and where credentials may go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.llm.around import Around
from app.llm.vertex import Vertex, host_of
from app.llm.vertex_wire import schema_of
from app.ports.llm import (
    ContentFiltered,
    Json,
    Message,
    ModelRef,
    QuotaExhausted,
    RateLimited,
    Rejected,
    Request,
    Unauthorized,
)
from tests.fakes.faults import Fault
from tests.fakes.serving import Ledger
from tests.fakes.vertex_server import VertexServer
from tests.llm.worlds import INPUT, SYSTEM


@pytest.fixture(scope="module")
def running() -> Iterator[VertexServer]:
    with VertexServer() as server:
        assert isinstance(server, VertexServer)
        yield server


@pytest.fixture
def server(running: VertexServer) -> VertexServer:
    running.ledger = Ledger()
    running.play()
    return running


@pytest.fixture
async def adapter() -> AsyncIterator[Vertex]:
    adapter = Vertex(around=Around({}, project="my-project", location="europe-west4"))
    yield adapter
    await adapter.aclose()


def request(server: VertexServer, model: str = "gemini-3.5-flash", **params: Json) -> Request:
    return Request(
        ModelRef(f"vertex_ai/{model}", params, server.url), (Message("system", SYSTEM), Message("user", INPUT))
    )


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("gemini-3.5-flash", "projects/my-project/locations/europe-west4/publishers/google/models/gemini-3.5-flash"),
        ("endpoints/123", "projects/my-project/locations/europe-west4/endpoints/123"),
        ("projects/p/locations/us/endpoints/9", "projects/p/locations/us/endpoints/9"),
    ],
)
async def test_the_resource_is_named_in_full(server: VertexServer, adapter: Vertex, model: str, path: str) -> None:
    await adapter.complete(request(server, model), deadline_s=10)

    assert server.ledger.log[-1].path == f"/v1/{path}:streamGenerateContent"


async def test_a_conversation_keeps_its_roles(server: VertexServer, adapter: Vertex) -> None:
    turns = (Message("system", "a"), Message("user", "b"), Message("assistant", "c"), Message("user", "d"))

    await adapter.complete(Request(request(server).model, turns), deadline_s=10)

    body = server.ledger.log[-1].body
    assert [(c["role"], c["parts"][0]["text"]) for c in body["contents"]] == [
        ("user", "b"),
        ("model", "c"),
        ("user", "d"),
    ]
    assert body["systemInstruction"]["parts"][0]["text"] == "a"


async def test_settings_go_under_their_names_and_strange_ones_are_said(server: VertexServer, adapter: Vertex) -> None:
    reply = await adapter.complete(
        request(server, temperature=0.5, top_p=0.9, seed=3, reasoning_effort="low", logit_bias={"a": 1}), deadline_s=10
    )

    config = server.ledger.log[-1].body["generationConfig"]
    assert (config["temperature"], config["topP"], config["seed"]) == (0.5, pytest.approx(0.9), 3)
    assert config["thinkingConfig"] == {"thinkingLevel": 1}
    assert [one["param"] for one in reply.raw["adjustments"]] == ["logit_bias"]


async def test_older_models_get_a_number_of_thinking_tokens(server: VertexServer, adapter: Vertex) -> None:
    await adapter.complete(request(server, "gemini-2.5-flash", reasoning_effort="low"), deadline_s=10)

    assert server.ledger.log[-1].body["generationConfig"]["thinkingConfig"] == {"thinkingBudget": 1024}


async def test_thoughts_count_as_completion(server: VertexServer, adapter: Vertex) -> None:
    reply = await adapter.complete(request(server, "gemini-3.1-pro-preview"), deadline_s=10)

    assert reply.usage.reasoning_tokens == 7
    assert reply.usage.completion_tokens == server.ledger.completion_tokens + 7
    assert (reply.text, reply.raw["reasoning"]) == ("card_arrival", "Let me think.")
    assert reply.cost_usd


async def test_a_blocked_prompt_is_content_filtered(server: VertexServer, adapter: Vertex) -> None:
    server.play(Fault("filtered_input"))

    with pytest.raises(ContentFiltered, match="Blocked by the filter"):
        await adapter.complete(request(server), deadline_s=10)


async def test_the_wait_in_google_s_error_details_is_understood(server: VertexServer, adapter: Vertex) -> None:
    server.play(Fault("429", retry_after="info:12.5"))

    with pytest.raises(RateLimited) as caught:
        await adapter.complete(request(server), deadline_s=10)

    assert caught.value.retry_after == 12.5


async def test_a_daily_quota_is_no_rate_limit(server: VertexServer, adapter: Vertex) -> None:
    server.play(Fault("insufficient_quota"))

    with pytest.raises(QuotaExhausted):
        await adapter.complete(request(server), deadline_s=10)


async def test_a_setting_of_the_wrong_kind_is_rejected_before_it_is_sent(server: VertexServer, adapter: Vertex) -> None:
    with pytest.raises(Rejected):
        await adapter.complete(request(server, temperature="warm"), deadline_s=10)

    assert server.ledger.requests == 0


async def test_credentials_never_leave_for_another_host(server: VertexServer, adapter: Vertex) -> None:
    await adapter.complete(request(server), deadline_s=10)

    assert "authorization" not in server.ledger.log[-1].headers


async def test_without_credentials_google_is_not_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    adapter = Vertex(around=Around(project="my-project"))

    with pytest.raises(Unauthorized, match="credentials"):
        await adapter.complete(Request(ModelRef("vertex_ai/gemini-3.5-flash"), (Message("user", "x"),)), deadline_s=10)
    await adapter.aclose()


async def test_without_a_project_nothing_is_sent() -> None:
    adapter = Vertex(around=Around({}))

    with pytest.raises(Unauthorized, match="project_id"):
        await adapter.complete(Request(ModelRef("vertex_ai/gemini-3.5-flash"), (Message("user", "x"),)), deadline_s=10)
    await adapter.aclose()


def test_every_location_has_its_host() -> None:
    assert host_of("global") == "https://aiplatform.googleapis.com"
    assert host_of("eu") == "https://aiplatform.eu.rep.googleapis.com"
    assert host_of("europe-west4") == "https://europe-west4-aiplatform.googleapis.com"


def test_a_schema_is_said_in_vertex_s_words() -> None:
    schema = schema_of(
        {
            "type": "object",
            "properties": {
                "edits": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": "object", "properties": {"target": {"type": "string", "enum": ["a", "b"]}}},
                },
                "note": {"type": ["string", "null"], "description": "why"},
            },
            "required": ["edits"],
            "additionalProperties": False,
        }
    )

    assert schema.type_.name == "OBJECT"
    assert list(schema.property_ordering) == ["edits", "note"]
    assert list(schema.required) == ["edits"]
    assert schema.properties["edits"].min_items == 1
    assert list(schema.properties["edits"].items.properties["target"].enum) == ["a", "b"]
    assert schema.properties["note"].nullable
    assert schema.properties["note"].description == "why"
