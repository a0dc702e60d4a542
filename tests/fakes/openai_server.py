"""An OpenAI-compatible server that answers by rule, counts what it was paid for and fails on demand.

    python tests/fakes/openai_server.py --port 8901 [--latency 0.2] [--answers rule | FILE.csv ...]
        [--faults '[{"kind": "429", "times": 3, "retry_after": "2"}]'] [--api-key KEY] [--junk 0.1]

Speaks POST .../chat/completions below any prefix (plain and streaming) and GET .../models. GET /count gives the ledger, POST
/reset clears ledger and faults, POST /faults sets the rules (see faults.py), GET /log gives the bodies.
Models called gpt-5*, o1*, o3*, o4* refuse max_tokens and any temperature but 1, as the real ones do; --refuse names further
parameters, and kinds of content, that are answered with 400 (json_schema, json_object, stream_options, seed, image_url, ...).
A model with "reason" in its name thinks first.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from aiohttp import web

from tests.fakes import faults
from tests.fakes.rule_optimizer import propose, wants_proposal
from tests.fakes.rule_world import RuleWorld
from tests.fakes.serving import FakeProvider, Recorded

MODERN = re.compile(r"^(gpt-5|o\d)")


def tokens(text: str) -> int:
    """How many tokens this tokenizer sees: one for every four characters begun."""
    return -(-len(text) // 4)


class OpenAIServer(FakeProvider):
    """latency_s: before the first byte. api_key: refuse every other key with 401. refuse: parameters answered with 400."""

    def __init__(
        self,
        world: RuleWorld | None = None,
        *,
        latency_s: float = 0.0,
        api_key: str = "",
        junk: float = 0.0,
        refuse: Collection[str] = (),
        faults: Sequence[faults.Fault] = (),
    ) -> None:
        super().__init__(world, latency_s=latency_s, api_key=api_key, faults=faults)
        self.junk = junk
        self.refuse = set(refuse)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/{prefix:.*}chat/completions", self.answer),
            web.get("/{prefix:.*}models", self._models),
        ]

    async def _models(self, request: web.Request) -> web.Response:
        if refusal := self._wrong_key(request, {}):
            return refusal
        return web.json_response({"object": "list", "data": [{"id": "rule", "object": "model"}]})

    async def respond(self, request: web.Request, recorded: Recorded) -> web.StreamResponse:
        arrived = time.perf_counter()
        body = recorded.body
        fault, kind = self.draw(recorded)
        answer = _shape(body, *self._say(body), kind)
        whole, content_type = _wire(body, answer, kind)
        if self.latency_s:
            await asyncio.sleep(arrived + self.latency_s - time.perf_counter())
        if fault and kind in faults.REFUSALS:
            return self._refusal(kind, request, body, faults.retry_headers(fault.retry_after))
        if refusal := self._wrong_key(request, body) or self._unsupported(body):
            return refusal
        if not fault or fault.is_paid:
            usage = answer["usage"]
            self.ledger.pay(recorded, body.get("model", ""), usage["prompt_tokens"], usage["completion_tokens"])
        return await send(request, whole, content_type, kind)

    def _say(self, body: dict[str, Any]) -> tuple[str, str]:
        messages = [{"role": _role(m["role"]), "content": _text(m["content"])} for m in body["messages"]]
        thought = "Let me think about it. " * 3 if "reason" in body.get("model", "") else ""
        if wants_proposal(messages, _schema(body)):
            return propose(messages, junk=self.junk), thought
        return self.world.answer(messages), thought

    def _wrong_key(self, request: web.Request, body: dict[str, Any]) -> web.Response | None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ") or request.headers.get("api-key", "")
        return self._refusal("401", request, body) if self.api_key and given != self.api_key else None

    def _refusal(
        self, kind: str, request: web.Request, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> web.Response:
        status, type_, code, message = faults.REFUSALS[kind]
        # A careless provider repeats the key; it must not get any further.
        said = message.format(key=request.headers.get("Authorization", ""), model=body.get("model", ""))
        return _error(status, type_, code, said, headers)

    def _unsupported(self, body: dict[str, Any]) -> web.Response | None:
        parts = (part for m in body["messages"] if isinstance(m["content"], list) for part in m["content"])
        wanted = {*body, (body.get("response_format") or {}).get("type", ""), *(part["type"] for part in parts)}
        refused = self.refuse & wanted
        if MODERN.match(body.get("model", "")):
            refused |= {"max_tokens"} & wanted
            refused |= {"temperature"} if body.get("temperature", 1) != 1 else set()
        if not refused:
            return None
        name = sorted(refused)[0]
        return _error(
            400, "invalid_request_error", "unsupported_parameter", f"Unsupported parameter: '{name}' with this model."
        )


def _error(status: int, type_: str, code: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"error": {"message": message, "type": type_, "code": code, "param": None}}
    return web.json_response(body, status=status, headers=headers)


def _role(role: str) -> str:
    return "system" if role == "developer" else role


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _schema(body: dict[str, Any]) -> Any:
    return (body.get("response_format") or {}).get("json_schema", {}).get("schema")


def _shape(body: dict[str, Any], text: str, thought: str, kind: str) -> dict[str, Any]:
    finish = {"length": "length", "content_filter": "content_filter"}.get(kind, "stop")
    said: str | None = {"empty": "", "null": None, "length": text[: len(text) // 2], "content_filter": ""}.get(
        kind, text
    )
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    if said and limit and tokens(said) > limit:
        said, finish = said[: limit * 4], "length"
    used = tokens(said or "") + tokens(thought)
    prompt = sum(tokens(_text(m["content"])) + 3 for m in body["messages"])
    usage: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": used, "total_tokens": prompt + used}
    usage["prompt_tokens_details"] = {"cached_tokens": 0}
    usage["completion_tokens_details"] = {"reasoning_tokens": tokens(thought)}
    message: dict[str, Any] = {"role": "assistant", "content": said}
    if thought:
        message["reasoning_content"] = thought
    choices = [] if kind == "no_choices" else [{"index": 0, "message": message, "finish_reason": finish}]
    return {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": f"{body.get('model', '')}-2026",
        "choices": choices,
        "service_tier": "default",
        "usage": usage,
    }


def _wire(body: dict[str, Any], answer: dict[str, Any], kind: str) -> tuple[bytes, str]:
    """The answer as bytes, and their type."""
    usage = answer["usage"]
    if not body.get("stream"):
        shown = {name: value for name, value in answer.items() if name != "usage" or kind != "no_usage"}
        return json.dumps(shown).encode(), "application/json"
    head = {"id": answer["id"], "object": "chat.completion.chunk", "model": answer["model"]}
    chunks: list[dict[str, Any]] = []
    for choice in answer["choices"]:
        likely = {"logprobs": {"content": [{"token": "a", "logprob": -0.1, "bytes": [97], "top_logprobs": []}]}}
        more = likely if body.get("logprobs") else {}
        chunks += [
            {**head, "choices": [{"index": 0, "delta": d, "finish_reason": None, **more}]} for d in _deltas(choice)
        ]
        chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    if (body.get("stream_options") or {}).get("include_usage") and kind != "no_usage":
        chunks.append({**head, "choices": [], "usage": usage})
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join([*lines, "data: [DONE]\n\n"]).encode(), "text/event-stream"


def _deltas(choice: dict[str, Any]) -> list[dict[str, Any]]:
    message = choice["message"]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": message["content"] and ""}]
    if thought := message.get("reasoning_content"):
        deltas.append({"reasoning_content": thought})
    text = message["content"] or ""
    half = len(text) // 2
    return deltas + [{"content": part} for part in (text[:half], text[half:]) if part]


async def send(request: web.Request, whole: bytes, content_type: str, kind: str) -> web.StreamResponse:
    """Send an answer, or play the fault on its bytes."""
    head = whole[: len(whole) // 2]
    if "event-stream" in content_type:
        head = head[: head.rfind(b"\n\n") + 2]
    if kind in ("reset", "reset_paid"):
        return await faults.cut(request)
    if kind == "hang":
        return await faults.hang(request)
    if kind == "drip":
        return await faults.drip(request, head, content_type)
    if kind == "stall":
        return await faults.stall(request, head, content_type)
    if kind == "truncated":
        return await faults.truncated(request, whole, content_type)
    if kind == "paced":
        return await faults.paced(request, whole, content_type)
    if kind == "html":
        return web.Response(text="<html><body>Welcome to the proxy</body></html>", content_type="text/html")
    if kind == "malformed":
        before, mark, after = whole.rpartition(b'"content"') if b'"content"' in whole else whole.rpartition(b'"text"')
        whole = before + mark.rstrip(b'"') + after
    if kind == "not_json_object":
        whole = b"data: [1]\n\n" if "event-stream" in content_type else b"[1]"
    return web.Response(body=whole, headers={"Content-Type": content_type})


async def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8901)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before the first byte")
    parser.add_argument("--answers", nargs="*", default=["rule"], help='"rule", or CSV files whose answers are known')
    parser.add_argument("--faults", default="[]", help="JSON list of rules, see faults.py")
    parser.add_argument("--api-key", default="")
    parser.add_argument("--junk", type=float, default=0.0, help="share of proposals that are no JSON")
    parser.add_argument("--refuse", nargs="*", default=[], help="parameters answered with 400")
    args = parser.parse_args()
    files = [name for name in args.answers if name != "rule"]
    server = OpenAIServer(
        RuleWorld.from_csv(files), latency_s=args.latency, api_key=args.api_key, junk=args.junk, refuse=args.refuse
    )
    server.plan = faults.FaultPlan.from_json(json.loads(args.faults))
    port = await server.listen(args.host, args.port)
    print(f"listening on http://{args.host}:{port}/v1", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
