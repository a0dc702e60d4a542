"""No adapter connects where the guard forbids it, and none takes a key along to where it is redirected."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aiohttp import web

from app.config import Settings
from app.llm.around import Around
from app.llm.gateway import Gateway
from app.llm.litellm import LiteLLM
from app.llm.openai_compatible import OpenAICompatible
from app.llm.outbound import Guard
from app.ports.llm import LLM, CallError, Message, ModelRef, Permanent, Request
from tests.fakes.serving import ThreadedServer
from tests.llm.worlds import CANARY

pytestmark = pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning")
KEYS = dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"), CANARY)
WAYS = [
    ("openai/x", OpenAICompatible, "/v1"),
    ("anthropic/claude-sonnet-4-6", LiteLLM, ""),
    ("gemini/gemini-3.5-flash", LiteLLM, ""),
]


class Sender(ThreadedServer):
    """Sends everything on to ``target``, and writes down what came."""

    def __init__(self, target: str = "") -> None:
        super().__init__()
        self.target = target
        self.seen: list[str] = []

    def application(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.post("/{rest:.*}", self._send)])
        return app

    async def _send(self, request: web.Request) -> web.Response:
        self.seen.append(str(dict(request.headers)))
        if not self.target:
            return web.json_response({})
        raise web.HTTPTemporaryRedirect(self.target + request.path_qs)


@pytest.fixture
def end() -> Iterator[Sender]:
    with Sender() as server:
        assert isinstance(server, Sender)
        yield server


async def refused(adapter: LLM, name: str, base: str) -> CallError:
    model = ModelRef(name, {"max_output_tokens": 5}, base)
    with pytest.raises(CallError) as caught:
        await adapter.complete(Request(model, (Message("user", "hi"),)), deadline_s=15)
    await adapter.aclose()
    return caught.value


@pytest.mark.parametrize(("name", "kind", "path"), WAYS, ids=[name for name, *_ in WAYS])
async def test_a_redirect_is_not_followed(name: str, kind: type[LLM], path: str, end: Sender) -> None:
    with Sender(end.url) as first:
        assert isinstance(first, Sender)
        await refused(kind(around=Around(KEYS)), name, first.url + path)
        assert len(first.seen) == 1
    assert end.seen == []


@pytest.mark.parametrize(("name", "kind", "path"), WAYS, ids=[name for name, *_ in WAYS])
async def test_a_name_that_changes_its_mind_is_caught_at_the_connection(
    name: str, kind: type[LLM], path: str, end: Sender
) -> None:
    guard = Guard(resolve=lambda host, port: ["127.0.0.1"])
    adapter = kind(around=Around(KEYS, guard=guard))
    error = await refused(adapter, name, f"http://rebound.example:{end.port}{path}")
    assert isinstance(error, Permanent)
    assert "api_base: rebound.example leads to 127.0.0.1" in str(error)
    assert end.seen == []


@pytest.mark.parametrize(
    ("name", "base", "said"),
    [
        ("openai/x", "http://10.0.0.1/v1", "private_hosts"),
        ("openai/x", "http://169.254.169.254/v1", "no request may go to"),
        ("anthropic/x", "http://192.168.0.1", "private_hosts"),
        ("bedrock/x", "https://evil.example", "amazonaws.com only"),
        ("vertex_ai/claude-sonnet-4-6", "https://googleapis.com.evil.example", "googleapis.com only"),
        ("cohere_chat/x", "https://evil.example", "cohere.com or cohere.ai only"),
    ],
)
async def test_an_address_that_may_not_be_is_told_before_anything_is_sent(name: str, base: str, said: str) -> None:
    gateway = Gateway(Settings(), KEYS | {"COHERE_API_KEY": CANARY, "AWS_PROFILE": "p", "GOOGLE_CLOUD_PROJECT": "p"})
    assert said in (gateway.problem(ModelRef(name, api_base=base)) or "")
    assert said in str(await refused(gateway, name, base))
