"""Every provider: adapters, each beside a fake that speaks its wire's real protocol, and the simulated one without a wire."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from app.llm.around import Around
from app.llm.litellm import LiteLLM
from app.llm.openai_compatible import OpenAICompatible
from app.llm.simulated import SimulatedLLM
from app.llm.vertex import Vertex
from app.ports.images import NO_IMAGES
from app.ports.llm import LLM, Image, Json, Message, ModelRef, Request
from tests.fakes.anthropic_server import AnthropicServer
from tests.fakes.faults import Fault
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.serving import Ledger
from tests.fakes.vertex_server import VertexServer, schema_of

CANARY = "sk-canary-3141592653589793"
SYSTEM = "Sort the message. Return only the label. Labels: card_lost, card_arrival"
INPUT = "My card never arrived, when is the arrival?"
ANSWER = "card_arrival"
PROPOSE = f"""Propose new prompts.

<system_prompt-abcdef>
Sort the message.
</system_prompt-abcdef>

Failure 1
<input-abcdef>
{INPUT}
</input-abcdef>
<expected-abcdef>
{ANSWER}
</expected-abcdef>
<answer-abcdef>
No idea.
</answer-abcdef>"""
"""What an optimiser is asked, in short."""
SCHEMA: Json = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("system_prompt", "output_prompt", "reasoning")},
    "required": ["system_prompt", "output_prompt", "reasoning"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class World:
    """One adapter and its fake. base: what follows the fake's address. blind: faults that the way to the model hides.

    way: its row in docs/providers.md. system, settings, schema: where the request's parts are in the fake's body.
    """

    name: str
    way: str
    adapter: Callable[..., LLM]
    server: Callable[[], Any]
    model: str
    base: str
    system: Callable[[Json], str]
    settings: Callable[[Json], Json]
    schema: Callable[[Json], Json]
    blind: Collection[str] = ()
    optimizer: str = ""
    """The model that writes prompts, where it is another one."""

    def request(
        self,
        server: Any,
        *,
        text: str = INPUT,
        schema: Json = None,
        images: tuple[Image, ...] = (),
        model: str = "",
        **params: Json,
    ) -> Request:
        """A request to the fake."""
        settings = {"temperature": 0, "max_output_tokens": 400, **params}
        asked = ModelRef(model or self.model, settings, (server.url + self.base) or None)
        return Request(asked, (Message("system", SYSTEM), Message("user", text, images)), schema)


@dataclass
class NoServer:
    """Stands where a fake provider stands beside an adapter that sends nothing."""

    url: str = ""
    latency_s: float = 0.0
    ledger: Ledger = field(default_factory=Ledger)

    def play(self, *rules: Fault) -> None:
        """There is no wire on which a fault could be played."""


@contextmanager
def _no_server() -> Iterator[NoServer]:
    yield NoServer()


def _not_sent(body: Json) -> Json:
    raise AssertionError("nothing is sent")


def _openai_settings(body: Json) -> Json:
    return {"temperature": body["temperature"], "max_output_tokens": body["max_tokens"]}


def _google_settings(body: Json) -> Json:
    config = body["generationConfig"]
    limit = config.get("maxOutputTokens") or config.get("max_output_tokens")
    return {"temperature": config["temperature"], "max_output_tokens": limit}


def _google_system(body: Json) -> str:
    parts = (body.get("systemInstruction") or body["system_instruction"])["parts"]
    return str(parts[0]["text"])


WORLDS = [
    World(
        "openai_compatible",
        "OpenAI-compatible (OpenAI, Azure, vLLM, Ollama, LM Studio, any base URL)",
        lambda images=NO_IMAGES: OpenAICompatible(around=Around({"OPENAI_API_KEY": CANARY}), images=images),
        OpenAIServer,
        "openai/rule",
        "/v1",
        lambda body: str(body["messages"][0]["content"]),
        _openai_settings,
        lambda body: body["response_format"]["json_schema"]["schema"],
    ),
    World(
        "vertex",
        "Gemini on Vertex AI",
        lambda images=NO_IMAGES: Vertex(around=Around({}, project="a-project"), images=images),
        VertexServer,
        "vertex_ai/gemini-3.5-flash",
        "",
        _google_system,
        _google_settings,
        schema_of,
    ),
    World(
        "litellm_anthropic",
        "LiteLLM: Anthropic",
        lambda images=NO_IMAGES: LiteLLM(around=Around({"ANTHROPIC_API_KEY": CANARY}), images=images),
        AnthropicServer,
        "anthropic/claude-sonnet-4-6",
        "",
        lambda body: str(body["system"][0]["text"]),
        lambda body: {"temperature": body["temperature"], "max_output_tokens": body["max_tokens"]},
        lambda body: body["output_format"]["schema"],
        blind={"no_choices", "no_usage"},  # no content is a fair answer there, and usage comes in two halves
    ),
    World(
        "litellm_gemini",
        "LiteLLM: Gemini API",
        lambda images=NO_IMAGES: LiteLLM(around=Around({"GEMINI_API_KEY": CANARY}), images=images),
        VertexServer,
        "gemini/gemini-3.5-flash",
        "",
        _google_system,
        _google_settings,
        schema_of,
        blind={"malformed"},  # LiteLLM passes over a damaged event of a stream
    ),
    World(
        "litellm_groq",
        "LiteLLM: Groq (and others of OpenAI's protocol)",
        lambda images=NO_IMAGES: LiteLLM(around=Around({"GROQ_API_KEY": CANARY}), images=images),
        OpenAIServer,
        "groq/openai/gpt-oss-20b",
        "/v1",
        lambda body: str(body["messages"][0]["content"]),
        _openai_settings,
        lambda body: body["response_format"]["json_schema"]["schema"],
        blind={"malformed"},
    ),
]

SIMULATED = World(
    "simulated",
    "simulated",
    lambda images=NO_IMAGES, latency_s=0.0: SimulatedLLM(latency_s, images),
    _no_server,
    "simulated/primary",
    "",
    _not_sent,
    _not_sent,
    _not_sent,
    optimizer="simulated/optimizer",
)
