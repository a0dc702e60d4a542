"""The gateway sends a call the way its model's name says, and refuses beforehand what cannot work."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.config import Settings
from app.llm.gateway import Gateway
from app.ports.llm import Message, ModelRef, Price, Request, UnknownModel
from tests.fakes.openai_server import OpenAIServer

MESSAGES = (Message("system", "Labels: card_lost, card_arrival. Return only the label."), Message("user", "my arrival"))


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        assert isinstance(server, OpenAIServer)
        yield server


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    gateway = Gateway(Settings(), {"HOME": str(tmp_path)}, {"openai/mine": Price(1e-6, 2e-6)})
    yield gateway
    await gateway.aclose()


async def test_a_call_goes_the_way_of_its_name(server: OpenAIServer, gateway: Gateway) -> None:
    model = ModelRef("openai/mine", api_base=server.url)

    reply = await gateway.complete(Request(model, MESSAGES), deadline_s=5)
    simulated = await gateway.complete(Request(ModelRef("simulated/primary"), MESSAGES), deadline_s=5)

    assert reply.text == "card_arrival"
    assert reply.cost_usd
    assert server.ledger.paid == 1
    assert simulated.raw == {"simulated": True}


async def test_an_unknown_name_is_refused(gateway: Gateway) -> None:
    with pytest.raises(UnknownModel):
        await gateway.complete(Request(ModelRef("nonsense"), MESSAGES), deadline_s=5)


async def test_prices(gateway: Gateway) -> None:
    assert gateway.price(ModelRef("openai/mine")) == Price(1e-6, 2e-6)
    assert gateway.price(ModelRef("vertex_ai/gemini-3.5-flash"))
    assert gateway.price(ModelRef("simulated/primary"))
    assert gateway.price(ModelRef("some-local-model", api_base="http://localhost:1/v1")) is None


def problem(home: Path, name: str, api_base: str | None = None, **environ: str) -> str | None:
    return Gateway(Settings(), {"HOME": str(home), **environ}).problem(ModelRef(name, api_base=api_base))


@pytest.mark.parametrize(
    ("name", "api_base", "said"),
    [
        ("openai/gpt-5-mini", None, "OPENAI_API_KEY"),
        ("anthropic/claude-sonnet-4-6", None, "ANTHROPIC_API_KEY"),
        ("groq/x", None, "GROQ_API_KEY"),
        ("huggingface/x", None, "HF_TOKEN"),
        ("bedrock/amazon.nova-lite-v1:0", None, "AWS_ACCESS_KEY_ID"),
        ("vertex_ai/gemini-3.5-flash", None, "project_id"),
        ("vertex_ai/claude-sonnet-4-6", None, "project_id"),
        ("azure/mine", None, "AZURE_API_BASE"),
        ("hosted_vllm/mine", None, "HOSTED_VLLM_API_BASE"),
        ("simulated/other", None, "simulated/primary, simulated/writer, simulated/optimizer, simulated/judge"),
        ("openai/x", "localhost:1", "api_base must look like"),
        ("anthropic/x", "nonsense", "api_base must look like"),
        ("nonsense/x", None, "no provider is called 'nonsense'"),
        ("", None, "no model is named"),
    ],
)
def test_what_cannot_work_is_said_with_what_to_do(tmp_path: Path, name: str, api_base: str | None, said: str) -> None:
    assert said in (problem(tmp_path, name, api_base) or "")


@pytest.mark.parametrize(
    ("name", "api_base", "environ"),
    [
        ("simulated/primary", None, {}),
        ("openai/gpt-5-mini", None, {"OPENAI_API_KEY": "k"}),
        ("openai/x", "http://somewhere/v1", {}),
        ("ollama/llama3.2", None, {}),
        ("azure/mine", None, {"AZURE_API_BASE": "https://r.openai.azure.com", "AZURE_API_KEY": "k"}),
        ("anthropic/x", None, {"ANTHROPIC_API_KEY": "k"}),
        ("bedrock/x", None, {"AWS_PROFILE": "p"}),
    ],
)
def test_what_may_work_is_let_through(tmp_path: Path, name: str, api_base: str | None, environ: dict[str, str]) -> None:
    assert problem(tmp_path, name, api_base, **environ) is None


def test_vertex_needs_a_project_and_credentials(tmp_path: Path) -> None:
    def vertex(**environ: str) -> str | None:
        return problem(tmp_path, "vertex_ai/gemini-3.5-flash", GOOGLE_CLOUD_PROJECT="p", **environ)

    key_file = tmp_path / "key.json"

    assert "gcloud auth application-default login" in (vertex() or "")
    assert "does not exist" in (vertex(GOOGLE_APPLICATION_CREDENTIALS=str(key_file)) or "")
    key_file.write_text("{}")
    assert vertex(GOOGLE_APPLICATION_CREDENTIALS=str(key_file)) is None


def test_a_silent_address_is_said_and_a_living_one_is_not(server: OpenAIServer, tmp_path: Path) -> None:
    gateway = Gateway(Settings(), {"HOME": str(tmp_path)})
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        silent = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"

        said = gateway.unreachable(ModelRef("openai/x", api_base=silent))

    assert said
    assert said.startswith("api_base http://127.0.0.1:")
    assert gateway.unreachable(ModelRef("openai/x", api_base=server.url)) is None
    assert gateway.unreachable(ModelRef("simulated/primary")) is None
    assert gateway.unreachable(ModelRef("openai/gpt-5-mini")) is None, "public services are not tried"
    assert server.ledger.requests == 0, "nothing is sent"
