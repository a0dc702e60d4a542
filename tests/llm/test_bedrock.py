"""Amazon Bedrock through LiteLLM, over a fake of its Converse API: settings, region, what nobody lists, answer, refusal."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from app.llm.around import Around
from app.llm.litellm import LiteLLM
from app.ports.llm import Json, Message, ModelRef, Reply, Request, Unauthorized
from tests.fakes.serving import ThreadedServer

pytestmark = [
    pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning"),
]
SECRET = "aws-canary-1414213562373095"


class Bedrock(ThreadedServer):
    """Answers every converse-stream with "card_arrival", or refuses it with ``status``."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.status = 200

    def application(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.post("/model/{model:.+}/converse-stream", self._converse)])
        return app

    async def _converse(self, request: web.Request) -> web.Response:
        self.asked.append((request.match_info["model"], await request.json(), dict(request.headers)))
        if self.status != 200:
            return web.json_response({"message": "The security token is invalid."}, status=self.status)
        events = [
            ("messageStart", {"role": "assistant"}),
            ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "card_"}}),
            ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "arrival"}}),
            ("messageStop", {"stopReason": "end_turn"}),
            (
                "metadata",
                {"usage": {"inputTokens": 21, "outputTokens": 3, "totalTokens": 24}, "metrics": {"latencyMs": 5}},
            ),
        ]
        body = b"".join(framed(name, payload) for name, payload in events)
        return web.Response(body=body, content_type="application/vnd.amazon.eventstream")


def framed(name: str, payload: Json) -> bytes:
    """One message of AWS's event stream: lengths, their checksum, headers, payload, checksum."""
    said = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(
        struct.pack("!B", len(key)) + key.encode() + b"\x07" + struct.pack("!H", len(value)) + value.encode()
        for key, value in said.items()
    )
    content = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(content), len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + content
    return message + struct.pack("!I", zlib.crc32(message))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bedrock]:
    with Bedrock() as server:
        assert isinstance(server, Bedrock)
        monkeypatch.setenv("AWS_BEDROCK_RUNTIME_ENDPOINT", server.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFORTESTS00000000")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        yield server


async def ask(model: str, region: str = "", **params: Json) -> Reply:
    adapter = LiteLLM(around=Around())
    ref = ModelRef(f"bedrock/{model}", params, region=region)
    try:
        messages = (Message("system", "Sort it."), Message("user", "Where is my card?"))
        return await adapter.complete(Request(ref, messages), deadline_s=15)
    finally:
        await adapter.aclose()


async def test_settings_region_and_what_nobody_lists_arrive(server: Bedrock) -> None:
    reply = await ask("amazon.nova-lite-v1:0", "eu-west-1", temperature=0.2, max_output_tokens=50, shade="blue")

    model, body, headers = server.asked[-1]
    assert (reply.text, reply.finish_reason) == ("card_arrival", "stop")
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (21, 3)
    assert model == "amazon.nova-lite-v1:0"
    assert body["system"][0]["text"] == "Sort it."
    assert body["inferenceConfig"] == {"temperature": 0.2, "maxTokens": 50}
    assert body["additionalModelRequestFields"]["shade"] == "blue"
    assert "/eu-west-1/bedrock/" in headers["Authorization"]
    assert SECRET not in json.dumps([body, headers])


async def test_a_refused_key_is_unauthorized_and_hidden(server: Bedrock) -> None:
    server.status = 403

    with pytest.raises(Unauthorized) as refused:
        await ask("amazon.nova-lite-v1:0", max_output_tokens=5)

    assert SECRET not in str(refused.value)
    assert len(server.asked) == 1
