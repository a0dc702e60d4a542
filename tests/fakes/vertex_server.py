"""Google's generateContent and streamGenerateContent over REST, for Vertex AI and the Gemini API, answering by rule.

    python tests/fakes/vertex_server.py --port 8902 [--latency 0.2] [--answers rule | FILE.csv ...]

Streams are a JSON array of responses, or server-sent events with ``alt=sse``; enums are numbers when the client asks for them;
errors have Google's form.
GET /count, POST /reset and POST /faults are those of openai_server.py; the kind "no_choices" is an answer without candidates,
"content_filter" a candidate stopped for safety, "filtered_input" a blocked prompt.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from aiohttp import web

from tests.fakes import faults
from tests.fakes.openai_server import send, tokens
from tests.fakes.rule_optimizer import propose, wants_proposal
from tests.fakes.rule_world import RuleWorld
from tests.fakes.serving import FakeProvider, Recorded

FINISHES = {"STOP": 1, "MAX_TOKENS": 2, "SAFETY": 3}
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
}


class VertexServer(FakeProvider):
    """latency_s: before the first byte. api_key: a bearer token that is required."""

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/{model:.+}:{method:generateContent|streamGenerateContent}", self.answer)]

    async def respond(self, request: web.Request, recorded: Recorded) -> web.StreamResponse:
        arrived = time.perf_counter()
        fault, kind = self.draw(recorded)
        streamed = request.match_info["method"] == "streamGenerateContent"
        numbers = "enum-encoding=int" in request.query_string
        model = request.match_info["model"].rpartition("/")[2]
        pieces, usage = _pieces(recorded.body, self._say(recorded.body), kind, model, numbers=numbers)
        if self.latency_s:
            await asyncio.sleep(arrived + self.latency_s - time.perf_counter())
        if self.api_key and key_of(request) != self.api_key:
            return _error("401", request, model, None, streamed=streamed)
        if fault and kind in faults.REFUSALS and kind != "filtered_input":
            return _error(kind, request, model, fault.retry_after, streamed=streamed)
        if not fault or fault.is_paid:
            self.ledger.pay(recorded, model, usage["promptTokenCount"], usage["candidatesTokenCount"])
        if streamed and request.query.get("alt") == "sse":
            events = "".join(f"data: {json.dumps(piece)}\r\n\r\n" for piece in pieces).encode()
            return await send(request, events, "text/event-stream", kind)
        whole = json.dumps(pieces if streamed else _merged(pieces)).encode()
        return await send(request, whole, "application/json; charset=UTF-8", kind)

    def _say(self, body: dict[str, Any]) -> str:
        messages = [{"role": _role(c), "content": _text(c)} for c in body["contents"]]
        if system := _system(body):
            messages.insert(0, {"role": "system", "content": system})
        if wants_proposal(messages, schema_of(body)):
            return propose(messages)
        return self.world.answer(messages)


def schema_of(body: dict[str, Any]) -> Any:
    """The schema that an answer must keep to, under any of its names."""
    config = body.get("generationConfig", {})
    names = ("responseSchema", "response_schema", "responseJsonSchema", "response_json_schema")
    return next((config[name] for name in names if name in config), None)


def key_of(request: web.Request) -> str:
    """The bearer token or key of a request."""
    named = request.headers.get("x-goog-api-key") or request.query.get("key", "")
    return request.headers.get("Authorization", "").removeprefix("Bearer ") or named


def _role(content: dict[str, Any]) -> str:
    return "assistant" if content.get("role") == "model" else "user"


def _system(body: dict[str, Any]) -> str:
    system = body.get("systemInstruction") or body.get("system_instruction")
    return _text(system) if system else ""


def _text(content: dict[str, Any]) -> str:
    return "".join(part.get("text", "") for part in content["parts"])


def _pieces(
    body: dict[str, Any], text: str, kind: str, model: str, *, numbers: bool
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The responses of a stream, the last with the usage, and the usage."""
    prompt = tokens(_system(body)) + sum(tokens(_text(c)) for c in body["contents"])
    thought = 7 if "pro" in model else 0
    finish = {"length": "MAX_TOKENS", "content_filter": "SAFETY"}.get(kind, "STOP")
    config = body.get("generationConfig", {})
    limit = config.get("maxOutputTokens") or config.get("max_output_tokens")
    if kind == "length":
        text = text[: len(text) // 2]
    if limit and tokens(text) > limit:
        text, finish = text[: limit * 4], "MAX_TOKENS"
    if kind in ("empty", "null", "content_filter"):
        text = ""
    usage = {"promptTokenCount": prompt, "candidatesTokenCount": tokens(text), "cachedContentTokenCount": 0}
    usage |= {"thoughtsTokenCount": thought, "totalTokenCount": prompt + tokens(text) + thought}
    head = {"modelVersion": f"{model}-001", "responseId": "fake"}
    if kind == "filtered_input":
        blocked = {"blockReason": 1 if numbers else "SAFETY", "blockReasonMessage": "Blocked by the filter."}
        return [{**head, "promptFeedback": blocked, "usageMetadata": usage}], usage
    if kind == "no_choices":
        return [{**head, "usageMetadata": usage}], usage
    half = len(text) // 2
    parts = [[{"text": t}] for t in (text[:half], text[half:]) if t]
    if thought:
        parts.insert(0, [{"text": "Let me think.", "thought": True}])
    pieces = [{**head, "candidates": [{"index": 0, "content": {"role": "model", "parts": p}}]} for p in parts]
    last: dict[str, Any] = {"index": 0, "finishReason": FINISHES[finish] if numbers else finish}
    if kind != "null":
        last["content"] = {"role": "model", "parts": [{"text": ""}]}
    pieces.append({**head, "candidates": [last], **({} if kind == "no_usage" else {"usageMetadata": usage})})
    return pieces, usage


def _merged(pieces: list[dict[str, Any]]) -> dict[str, Any]:
    whole = dict(pieces[-1])
    parts = [p for piece in pieces for c in piece.get("candidates", []) for p in c.get("content", {}).get("parts", [])]
    if whole.get("candidates"):
        whole["candidates"] = [{**whole["candidates"][0], "content": {"role": "model", "parts": parts}}]
    return whole


def _error(kind: str, request: web.Request, model: str, retry_after: str | None, *, streamed: bool) -> web.Response:
    status, _, _, message = faults.REFUSALS[kind]
    said = message.format(key=key_of(request), model=model)
    error: dict[str, Any] = {"code": status, "message": said, "status": STATUSES[status], "details": []}
    if kind == "insufficient_quota":
        violation = {"quotaId": "GenerateRequestsPerDayPerProject", "description": "The daily quota is used up."}
        error["details"].append({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]})
    headers = {} if retry_after and retry_after.startswith("info:") else faults.retry_headers(retry_after)
    if retry_after and retry_after.startswith("info:"):
        delay = f"{retry_after[5:]}s"
        error["details"].append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
    body = {"error": error}
    return web.json_response([body] if streamed else body, status=status, headers=headers)


async def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=8902)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before the first byte")
    parser.add_argument("--answers", nargs="*", default=["rule"], help='"rule", or CSV files whose answers are known')
    args = parser.parse_args()
    world = RuleWorld.from_csv(name for name in args.answers if name != "rule")
    port = await VertexServer(world, latency_s=args.latency).listen("127.0.0.1", args.port)
    print(f"listening on http://127.0.0.1:{port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
