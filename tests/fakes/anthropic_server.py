"""Anthropic's Messages API, answering by rule: plain and streaming, usage, structured output through a forced tool, errors."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from aiohttp import web

from tests.fakes import faults
from tests.fakes.openai_server import send, tokens
from tests.fakes.rule_optimizer import propose, wants_proposal
from tests.fakes.serving import FakeProvider, Recorded

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "overloaded_error",
}


class AnthropicServer(FakeProvider):
    """latency_s: before the first byte. api_key: refuse every other key with 401."""

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1/messages", self.answer)]

    async def respond(self, request: web.Request, recorded: Recorded) -> web.StreamResponse:
        arrived = time.perf_counter()
        body = recorded.body
        fault, kind = self.draw(recorded)
        message = _message(body, self._say(body), kind)
        if self.latency_s:
            await asyncio.sleep(arrived + self.latency_s - time.perf_counter())
        key = recorded.headers.get("x-api-key", "")
        if self.api_key and key != self.api_key:
            return _error("401", key, body, None)
        if fault and kind in faults.REFUSALS:
            return _error(kind, key, body, fault.retry_after)
        usage = message["usage"]
        if not fault or fault.is_paid:
            self.ledger.pay(recorded, body["model"], usage["input_tokens"], usage["output_tokens"])
        if body.get("stream"):
            return await send(request, _events(message), "text/event-stream", kind)
        return await send(request, json.dumps(message).encode(), "application/json", kind)

    def _say(self, body: dict[str, Any]) -> str:
        messages = [{"role": m["role"], "content": _text(m["content"])} for m in body["messages"]]
        if body.get("system"):
            messages.insert(0, {"role": "system", "content": _text(body["system"])})
        if wants_proposal(messages, _schema(body)):
            return propose(messages)
        return self.world.answer(messages)


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)


def _schema(body: dict[str, Any]) -> Any:
    return (body.get("output_format") or body.get("output_config", {}).get("format") or {}).get("schema") or next(
        (tool["input_schema"] for tool in body.get("tools") or []), None
    )


def _message(body: dict[str, Any], text: str, kind: str) -> dict[str, Any]:
    stop = {"length": "max_tokens", "content_filter": "refusal"}.get(kind, "end_turn")
    if kind == "length":
        text = text[: len(text) // 2]
    if kind in ("empty", "null", "content_filter"):
        text = ""
    if tokens(text) > body.get("max_tokens", 1_000_000):
        text, stop = text[: body["max_tokens"] * 4], "max_tokens"
    block: dict[str, Any] = {"type": "text", "text": text}
    for tool in body.get("tools") or []:
        block = {"type": "tool_use", "id": "toolu_1", "name": tool["name"], "input": json.loads(text)}
        stop = "tool_use"
    prompt = sum(tokens(_text(m["content"])) for m in body["messages"]) + tokens(_text(body.get("system") or ""))
    usage = {"input_tokens": prompt, "output_tokens": tokens(text), "cache_read_input_tokens": 0}
    return {
        "id": "msg_fake",
        "type": "message",
        "role": "assistant",
        "model": f"{body['model']}-2026",
        "content": [] if kind in ("no_choices", "null") else [block],
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": usage | {"cache_creation_input_tokens": 0},
    }


def _events(message: dict[str, Any]) -> bytes:
    start = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 0}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            empty, deltas = (
                {"type": "text", "text": ""},
                [{"type": "text_delta", "text": t} for t in _halves(block["text"])],
            )
        else:
            empty = {**block, "input": {}}
            halves = _halves(json.dumps(block["input"]))
            deltas = [{"type": "input_json_delta", "partial_json": part} for part in halves]
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    events.append(
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": message["usage"]["output_tokens"]}}
    )
    events.append({"type": "message_stop"})
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def _halves(text: str) -> list[str]:
    half = len(text) // 2
    return [part for part in (text[:half], text[half:]) if part]


def _error(kind: str, key: str, body: dict[str, Any], retry_after: str | None) -> web.Response:
    status, _, _, message = faults.REFUSALS[kind]
    if kind == "insufficient_quota":
        status, message = 400, "Your credit balance is too low to access the Anthropic API."
    said = message.format(key=key, model=body.get("model", ""))
    error = {"type": "error", "error": {"type": TYPES[status], "message": said}}
    return web.json_response(error, status=status, headers=faults.retry_headers(retry_after))
