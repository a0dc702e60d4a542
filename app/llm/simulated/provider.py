"""The simulated models behind the port: a declared latency, estimated tokens, and a made-up price."""

from __future__ import annotations

import asyncio

from app.core.tokens import image_tokens
from app.llm.pictures import has_images, load
from app.llm.simulated.chance import chance
from app.llm.simulated.judge import reply as judge
from app.llm.simulated.look import seen
from app.llm.simulated.optimizer import reply as improve
from app.llm.simulated.primary import reply as answer
from app.llm.simulated.writer import reply as write
from app.ports.images import NO_IMAGES, Images
from app.ports.llm import (
    FinishReason,
    Json,
    Listener,
    Message,
    ModelRef,
    Price,
    Reply,
    Request,
    TimedOut,
    UnknownModel,
    Usage,
)

MODELS = ("simulated/primary", "simulated/writer", "simulated/optimizer", "simulated/judge")
PRICES = {
    "simulated/primary": Price(1e-7, 4e-7),
    "simulated/writer": Price(2e-7, 8e-7),
    "simulated/optimizer": Price(1e-6, 4e-6),
    "simulated/judge": Price(1e-6, 4e-6),
}
"""Simulated USD per token, in the proportions of a small and a large model."""
CHARS_PER_TOKEN = 4
PIECES = 20
"""In which an answer is heard, at most."""
SERVED_MODEL = "simulated"


class SimulatedLLM:
    """See the package's docstring.

    latency_s: mean seconds of a primary call, from half to one and a half of it by the request's content; the optimiser takes
    five times as long. A request may name its own latency_s.
    """

    def __init__(self, latency_s: float = 0.015, images: Images = NO_IMAGES) -> None:
        self._latency_s = latency_s
        self._images = images

    async def complete(self, request: Request, *, deadline_s: float) -> Reply:
        """See app.ports.llm.LLM."""
        model = request.model.name
        if model not in MODELS:
            raise UnknownModel(f"{model} is unknown; the simulated models are {', '.join(MODELS)}")
        took = self._seconds(request)
        if took > deadline_s:
            await asyncio.sleep(deadline_s)
            raise TimedOut(f"no answer within {deadline_s:g} s", maybe_paid=True)
        params = dict(request.model.params)
        told = await asyncio.to_thread(_described, request, self._images) if has_images(request) else request.messages
        text, finish_reason = _cut(_text(request, told, params), params.get("max_output_tokens"))
        await _said(text, took, request.listener)
        shown = sum(image_tokens(one.width, one.height) for m in request.messages for one in m.images)
        usage = Usage(shown + sum(tokens(m.content) for m in request.messages), tokens(text), estimated=True)
        cost = (request.model.price or PRICES[model]).cost(usage)
        return Reply(text, finish_reason, usage, cost, None, took, SERVED_MODEL, {"simulated": True})

    def price(self, model: ModelRef) -> Price | None:
        """See app.ports.llm.LLM. The price is simulated too."""
        return model.price or PRICES.get(model.name)

    async def aclose(self) -> None:
        """See app.ports.llm.LLM; there is nothing to release."""

    def _seconds(self, request: Request) -> float:
        own = request.model.params.get("latency_s")
        usual = self._latency_s * (5.0 if request.model.name == "simulated/optimizer" else 1.0)
        base = float(own) if isinstance(own, int | float) else usual
        return base * (0.5 + chance("latency", *(m.content for m in request.messages)))


async def _said(text: str, seconds: float, listener: Listener | None) -> None:
    """The text takes its seconds; whoever listens hears it in pieces."""
    if listener is None:
        await asyncio.sleep(seconds)
        return
    size = max(CHARS_PER_TOKEN, -(-len(text) // PIECES))
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    for piece in pieces:
        await asyncio.sleep(seconds / len(pieces))
        listener.hear(piece)


def _described(request: Request, images: Images) -> tuple[Message, ...]:
    """The messages with each picture in words before the text. Raises: Rejected when one is gone."""
    loaded = load(request, images)
    return tuple(
        Message(m.role, " ".join([*(seen(loaded[one.digest]) for one in m.images), m.content])) if m.images else m
        for m in request.messages
    )


def _text(request: Request, messages: tuple[Message, ...], params: dict[str, Json]) -> str:
    if request.model.name == "simulated/optimizer":
        return improve(messages, params, request.response_schema)
    if request.model.name == "simulated/judge":
        return judge(messages, params, request.response_schema)
    if request.model.name == "simulated/writer":
        return write(messages, params)
    return answer(messages, params)


def tokens(text: str) -> int:
    """About how many tokens a text has: one for every four characters, at least one."""
    return max(1, -(-len(text) // CHARS_PER_TOKEN))


def _cut(text: str, most: Json) -> tuple[str, FinishReason]:
    """The text within the output limit."""
    if isinstance(most, int) and tokens(text) > most:
        return text[: most * CHARS_PER_TOKEN], "length"
    return text, "stop"
