"""What every adapter makes of a provider's answer: one Reply, with usage counted where the provider did not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.core.tokens import estimated_tokens, image_tokens
from app.llm.prices import Prices
from app.ports.llm import FinishReason, Json, Reply, Request, Usage

_FINISHES: dict[str, FinishReason] = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "eos": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "content_filter",
    "content_filtered": "content_filter",
    "refusal": "content_filter",
    "safety": "content_filter",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
}


@dataclass(slots=True)
class Answer:
    """A provider's answer as it was read from the wire.

    finish: the provider's own word. usage: None when it reported none. first_s, last_s: seconds to the first and to the last
    delta of content or reasoning, None when it was not streamed. record: what else is worth keeping.
    """

    text: str = ""
    thought: str = ""
    finish: str = ""
    usage: Usage | None = None
    model: str = ""
    first_s: float | None = None
    last_s: float | None = None
    record: dict[str, Any] = field(default_factory=dict)

    def heard(self, seconds: float) -> None:
        """A delta has come, so many seconds after sending."""
        self.first_s = seconds if self.first_s is None else self.first_s
        self.last_s = seconds


def finish_reason(word: str) -> FinishReason:
    """The port's name for a provider's finish reason."""
    return _FINISHES.get(word.lower(), "unknown")


def reply(answer: Answer, request: Request, prices: Prices, seconds: float, adjustments: list[Json]) -> Reply:
    """The reply to a request. seconds: from sending to the last byte, which is the time of an
    answer that came as one. adjustments: what was sent otherwise than asked."""
    usage = answer.usage or estimated(request, answer)
    record: dict[str, Any] = {**answer.record, "finish_reason": answer.finish or None}
    if answer.thought:
        record["reasoning"] = answer.thought
    if adjustments:
        record["adjustments"] = adjustments
    return Reply(
        text=answer.text,
        finish_reason=finish_reason(answer.finish),
        usage=usage,
        cost_usd=prices.cost(request.model, usage),
        ttft_s=answer.first_s,
        ttlb_s=seconds if answer.last_s is None else answer.last_s,
        served_model=answer.model,
        raw=record,
    )


def estimated(request: Request, answer: Answer) -> Usage:
    """Usage counted by ourselves (see app.core.tokens), and four tokens more for every message."""
    prompt = sum(estimated_tokens(m.content) + 4 for m in request.messages)
    prompt += sum(image_tokens(one.width, one.height) for m in request.messages for one in m.images)
    thought = estimated_tokens(answer.thought)
    return Usage(prompt, estimated_tokens(answer.text) + thought, thought, estimated=True)


def adjustment(param: str, original: Json, adjusted: Json, action: str, reason: str) -> Json:
    """One line of what was sent otherwise than asked. action: drop, clamp, rename, warn or passthrough."""
    return {"param": param, "original": original, "adjusted": adjusted, "action": action, "reason": reason}
