"""Every adapter that goes over a wire, each beside a fake that speaks that wire's real protocol."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from app.llm.around import Around
from app.llm.litellm import LiteLLM
from app.llm.openai_compatible import OpenAICompatible
from app.llm.vertex import Vertex
from app.ports.images import NO_IMAGES
from app.ports.llm import LLM, Image, Json, Message, ModelRef, Request
from tests.fakes.anthropic_server import AnthropicServer
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.serving import ThreadedServer
from tests.fakes.vertex_server import VertexServer, schema_of

CANARY = "sk-canary-3141592653589793"
SYSTEM = "Sort the message. Labels: card_lost, card_arrival. Return only the label."
INPUT = "My card never arrived, when is the arrival?"
ANSWER = "card_arrival"
SCHEMA: Json = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("system_prompt", "output_prompt", "reasoning")},
    "required": ["system_prompt", "output_prompt", "reasoning"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class World:
    """One adapter and its fake. base: what follows the fake's address. blind: faults that the way to the model hides.

    system, settings, schema: where the request's parts are in the fake's body.
    """

    name: str
    adapter: Callable[..., LLM]
    server: Callable[[], Any]
    model: str
    base: str
    system: Callable[[Json], str]
    settings: Callable[[Json], Json]
    schema: Callable[[Json], Json]
    blind: Collection[str] = ()

    def request(
        self,
        server: ThreadedServer,
        *,
        text: str = INPUT,
        schema: Json = None,
        images: tuple[Image, ...] = (),
        **params: Json,
    ) -> Request:
        """A request to the fake."""
        model = ModelRef(self.model, {"temperature": 0, "max_output_tokens": 400, **params}, server.url + self.base)
        return Request(model, (Message("system", SYSTEM), Message("user", text, images)), schema)


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
