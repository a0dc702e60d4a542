"""One minimal call to each target, side by side; on request what it can do is tried too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from app.llm.capabilities import CAPABILITIES
from app.ports.llm import LLM, CallError, Json, Message, ModelRef, Rejected, Reply, Request
from app.services.access import sight
from app.services.access.target import Target

ANSWERS = "answers"
_ASK = (Message("user", "Reply with OK."),)
_SCHEMA: Json = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}},
    "required": ["ok"],
    "additionalProperties": False,
}
_TOOL: Json = {"name": "note", "description": "Writes a word down.", "parameters": {**_SCHEMA}}
_TRIES: dict[str, tuple[str, dict[str, Json]]] = {
    "tools": (
        "Call the tool note with ok true.",
        {"tools": [{"type": "function", "function": _TOOL}], "max_output_tokens": 256},
    ),
    "logprobs": ("Reply with OK.", {"logprobs": True, "max_output_tokens": 16}),
    "vision": (sight.QUESTION, {"max_output_tokens": 256}),
}
"""What is said and sent to try a capability."""


@dataclass(frozen=True, slots=True)
class Finding:
    """outcome: ANSWERS, or the label of the error. seconds: of the answer. usd: None when the price is unknown.

    tried: by capability {"ok": true, false or null, "words": ...}; None when nothing was tried.
    """

    outcome: str
    words: str
    seconds: float | None = None
    usd: float | None = None
    tried: Json = None


async def ask_all(
    targets: Sequence[tuple[Target, bool]],
    llm: LLM,
    told: Callable[[Target, Finding], Awaitable[None]],
    *,
    deadline_s: float,
    concurrency: int,
) -> None:
    """Ask every target, at most so many at once. targets: with whether capabilities are tried. told: hears of each."""
    room = asyncio.Semaphore(concurrency)

    async def one(target: Target, trying: bool) -> None:
        async with room:
            finding = await ask(target, llm, deadline_s)
            if trying and finding.outcome == ANSWERS and not target.simulated:
                finding = await _tried(target, finding, llm, deadline_s)
        await told(target, finding)

    async with asyncio.TaskGroup() as group:
        for target, trying in targets:
            group.create_task(one(target, trying))


async def ask(target: Target, llm: LLM, deadline_s: float) -> Finding:
    """One call of a few tokens; a simulated model needs none."""
    if target.simulated:
        return Finding(ANSWERS, "built in, answers without a call", 0.0, 0.0)
    try:
        reply = await llm.complete(Request(target.ref, _ASK), deadline_s=deadline_s)
    except CallError as error:
        return Finding(error.label, str(error))
    return Finding(ANSWERS, _words(reply), reply.ttlb_s, reply.cost_usd, {"streaming": _streamed(reply)})


def _words(reply: Reply) -> str:
    used = reply.usage.prompt_tokens + reply.usage.completion_tokens
    kind = "" if reply.text.strip() else " with nothing (its thinking may have used the few tokens up)"
    return f"answers{kind}; {used} tokens"


def _streamed(reply: Reply) -> Json:
    return _result(True, "the answer is streamed") if reply.ttft_s is not None else _result(None, "no stream was seen")


def _result(ok: bool | None, words: str) -> Json:
    return {"ok": ok, "words": words}


async def _tried(target: Target, finding: Finding, llm: LLM, deadline_s: float) -> Finding:
    """The finding with what came of trying; its cost is that of all calls together."""
    found: dict[str, Json] = dict(finding.tried or {})
    usd = finding.usd
    for name in CAPABILITIES:
        if name in found:
            continue
        found[name], cost = await _try(name, target.ref, llm, deadline_s)
        usd = None if usd is None or cost is None else usd + cost
    return replace(finding, usd=usd, tried=found)


async def _try(name: str, model: ModelRef, llm: LLM, deadline_s: float) -> tuple[Json, float | None]:
    said, params = _TRIES.get(name, ('Reply with {"ok": true}.', {"max_output_tokens": 256}))
    asked = replace(model, params={**model.params, **params})
    schema = _SCHEMA if name == "json" else None
    message = Message("user", said, (sight.CARD,) if name == "vision" else ())
    try:
        reply = await llm.complete(Request(asked, (message,), schema), deadline_s=deadline_s)
    except CallError as error:
        if name == "vision" and isinstance(error, Rejected):
            return _result(False, f"takes no image: {error}"), 0.0
        return _result(None, f"could not be tried: {error}"), 0.0
    return _judged(name, reply), reply.cost_usd


def _judged(name: str, reply: Reply) -> Json:
    word = "response_schema" if name == "json" else name
    made = reply.raw.get("adjustments", ()) if isinstance(reply.raw, dict) else ()
    if told := next((one for one in made if one["param"] in (word, "response_format")), None):
        refused = told["reason"].startswith("the server")
        return _result(False if refused else None, told["reason"] if refused else f"not tried: {told['reason']}")
    if name == "json":
        return _result(True, "keeps to a schema") if _keeps(reply.text) else _result(False, "answers past the schema")
    if name == "tools":
        called = reply.finish_reason == "tool_calls"
        return _result(called, "calls a tool" if called else "takes tools, and called none when told to")
    if name == "vision":
        return _seen(reply.text)
    given = bool(isinstance(reply.raw, dict) and reply.raw.get("logprobs"))
    return _result(given, "gives them" if given else "takes the word, and gives none")


def _seen(text: str) -> Json:
    if not text.strip():
        return _result(None, "takes an image, and answers with nothing (its thinking may have used the few tokens up)")
    if sight.names_both(text):
        return _result(True, "says what an image shows")
    return _result(False, "takes an image, and does not say what it shows")


def _keeps(text: str) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return isinstance(value, dict) and set(value) == {"ok"} and isinstance(value["ok"], bool)
