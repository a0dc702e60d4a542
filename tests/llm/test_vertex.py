"""What is particular to Vertex AI: its resources, its schema, thinking, safety, quotas, and where credentials may go."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.llm.around import Around
from app.llm.failures import describe, read_refusal
from app.llm.outbound import Guard
from app.llm.vertex import Vertex, host_of
from app.llm.vertex_clients import Clients
from app.llm.vertex_wire import schema_of
from app.ports.llm import (
    CallError,
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
from tests.fakes.serving import Ledger, ThreadedServer
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


async def test_a_quota_is_called_by_its_name(server: VertexServer, adapter: Vertex) -> None:
    server.play(Fault("insufficient_quota"))

    with pytest.raises(QuotaExhausted, match=r"quota GenerateRequestsPerDayPerProject"):
        await adapter.complete(request(server), deadline_s=10)


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        (
            {"violations": [{"quotaMetric": "m/requests", "quotaId": "PerMinute", "quotaValue": "60"}]},
            "quota PerMinute, 60",
        ),
        ({"violations": [{"subject": "project:p", "description": "used up"}]}, "quota project:p"),
        ({"metadata": {"quota_limit": "TokensPerMinute", "quota_limit_value": "1000"}}, "quota TokensPerMinute, 1000"),
        ({"metadata": {"service": "aiplatform.googleapis.com"}}, "HTTP 429: Too many."),
        ({"violations": "nonsense"}, "HTTP 429: Too many."),
    ],
)
def test_google_names_quotas_in_several_ways(detail: Json, said: str) -> None:
    error = {"error": {"code": 429, "message": "Too many.", "status": "RESOURCE_EXHAUSTED", "details": [detail]}}

    assert said in describe(read_refusal(429, {}, json.dumps(error)))


async def test_one_threshold_of_safety_goes_to_every_category(server: VertexServer, adapter: Vertex) -> None:
    await adapter.complete(request(server, safety_threshold="block_only_high"), deadline_s=10)

    body = server.ledger.log[-1].body
    assert len({one["category"] for one in body["safetySettings"]}) == 4
    assert {one["threshold"] for one in body["safetySettings"]} == {3}
    with pytest.raises(Rejected, match="safety_threshold"):
        await adapter.complete(request(server, safety_threshold="wild"), deadline_s=10)
    assert server.ledger.requests == 1


async def test_a_redirect_is_not_followed(adapter: Vertex, server: VertexServer) -> None:
    with Elsewhere(server.url) as elsewhere:
        model = ModelRef("vertex_ai/gemini-3.5-flash", {}, elsewhere.url)
        with pytest.raises(CallError):
            await adapter.complete(Request(model, (Message("user", "x"),)), deadline_s=10)
    assert server.ledger.requests == 0


async def test_the_guard_holds_at_the_connection(server: VertexServer) -> None:
    guard = Guard(resolve=lambda host, port: ["8.8.8.8"])
    adapter = Vertex(around=Around({}, guard=guard, project="p"))
    model = ModelRef("vertex_ai/gemini-3.5-flash", {}, f"http://localhost:{server.port}")
    with pytest.raises(CallError):
        await adapter.complete(Request(model, (Message("user", "x"),)), deadline_s=10)
    await adapter.aclose()
    assert server.ledger.requests == 0


class Elsewhere(ThreadedServer):
    """Sends every request on to another address."""

    def __init__(self, target: str) -> None:
        super().__init__()
        self.target = target

    def application(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.post("/{rest:.*}", self._send)])
        return app

    async def _send(self, request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(self.target + request.path_qs)


class Tokens(ThreadedServer):
    """Where a service account gets its token."""

    def application(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.post("/token", self._give)])
        return app

    async def _give(self, request: web.Request) -> web.Response:
        assert (await request.post())["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        return web.json_response({"access_token": "ya29.for-tests", "expires_in": 3600, "token_type": "Bearer"})


def test_a_service_account_is_taken_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from google.auth.transport.requests import Request as Transport

    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with Tokens() as tokens:
        account = {
            "type": "service_account", "project_id": "p", "private_key_id": "1", "private_key": pem, "client_id": "1",
            "client_email": "w@p.iam.gserviceaccount.com", "token_uri": tokens.url + "/token",
        }  # fmt: skip
        file = tmp_path / "account.json"
        file.write_text(json.dumps(account))
        clients = Clients({"GOOGLE_APPLICATION_CREDENTIALS": str(file)}, Guard())
        found = clients.credentials_for("https://europe-west4-aiplatform.googleapis.com")
        found.refresh(Transport())
    assert found.service_account_email == "w@p.iam.gserviceaccount.com"
    assert found.token == "ya29.for-tests"
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
