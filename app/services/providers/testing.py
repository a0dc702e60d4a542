"""The test of a server itself (see trial); apart from it, because it needs an HTTP client."""

from __future__ import annotations

import asyncio
import json
import time
from urllib.parse import urlsplit

import aiohttp

from app.llm import outbound
from app.llm.around import Around
from app.llm.failures import scrub
from app.llm.openai_compatible import OpenAICompatible
from app.llm.outbound_aiohttp import connector, get
from app.ports.llm import CallError, Message, ModelRef, Reply, Request
from app.services.providers.trial import Step, Trial

CONNECT_S, LIST_S, CALL_S = 3.0, 10.0, 30.0
"""Longest waits for the connection, for the list of models and for the answer."""
MOST_MODELS, LONGEST_MODEL = 500, 190
LARGEST_LIST = 4 * 2**20
SMALLEST_ANSWER = 16
"""Most tokens that the one call may be answered with; some servers take no less."""


class _Refused(Exception):
    """A step failed; the message says why."""


async def tested(base: str, around: Around, model: str) -> Trial:
    """See trial.run; the only keys that it knows are those of around."""
    began = time.perf_counter()
    try:
        await asyncio.to_thread(outbound.connected, around.guard, base, CONNECT_S)
    except OSError as error:
        why = str(error) if isinstance(error, outbound.Forbidden) else _silent(error)
        return Trial((Step("reachable", False, why), *_untried("models", "call", "stream")))
    reached = Step("reachable", True, f"something listens at {_place(base)}", time.perf_counter() - began)
    listing, names = await _list(base, around)
    model = model or (names[0] if names else "")
    if not model:
        words = "name a model to call; the server lists none"
        return Trial((reached, listing, Step("call", None, words), *_untried("stream")))
    return Trial((reached, listing, *await _call(base, around, model)), names)


def _untried(*names: str) -> tuple[Step, ...]:
    return tuple(Step(name, None, "not tried") for name in names)


async def _list(base: str, around: Around) -> tuple[Step, tuple[str, ...]]:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(LIST_S):
            names = await _names(base, around)
    except TimeoutError:
        return Step("models", False, f"no list of models within {LIST_S:g} s"), ()
    except (_Refused, OSError, aiohttp.ClientError) as error:
        said = str(outbound.forbidden(error) or error) or type(error).__name__
        return Step("models", False, scrub(said, around.keys.secrets)), ()
    took = time.perf_counter() - began
    words = f"lists {len(names)} model{'' if len(names) == 1 else 's'}"
    return Step("models", bool(names), f"{words}{'' if names else '; load or pull one'}", took), names


async def _names(base: str, around: Around) -> tuple[str, ...]:
    key = around.keys.of_server(base)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        aiohttp.ClientSession(connector=connector(around.guard), trust_env=True) as session,
        get(session, around.guard, models_url(base), headers=headers) as response,
    ):
        body = await response.content.read(LARGEST_LIST)
    if response.status in (401, 403):
        raise _Refused(f"HTTP {response.status}: the server {'refuses the key' if key else 'wants a key'}")
    if response.status != 200:
        raise _Refused(
            f"HTTP {response.status} at {urlsplit(models_url(base)).path}; is /v1 missing at the end of the address?"
        )
    return _read(body)


def _read(body: bytes) -> tuple[str, ...]:
    try:
        rows = json.loads(body)["data"]
        names = [row["id"] for row in rows]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _Refused("what /models says is no list of models as OpenAI's protocol has it") from None
    fit = (name for name in names if isinstance(name, str) and name.isprintable() and 0 < len(name) <= LONGEST_MODEL)
    return tuple(dict.fromkeys(fit))[:MOST_MODELS]


async def _call(base: str, around: Around, model: str) -> tuple[Step, Step]:
    adapter = OpenAICompatible(around=around)
    ref = ModelRef(f"openai/{model}", {"max_output_tokens": SMALLEST_ANSWER}, base)
    try:
        reply = await adapter.complete(Request(ref, (Message("user", "Say OK."),)), deadline_s=CALL_S)
    except CallError as error:
        return Step("call", False, f"{model}: {error}"), *_untried("stream")  # type: ignore[return-value]
    finally:
        await adapter.aclose()
    used = reply.usage.prompt_tokens + reply.usage.completion_tokens
    words = f"{model} answers; {used} tokens{' (estimated)' if reply.usage.estimated else ''}"
    return Step("call", True, words, reply.ttlb_s), _stream(reply)


def _stream(reply: Reply) -> Step:
    if reply.ttft_s is None:
        return Step("stream", False, "the answer came in one piece, so the time to the first token cannot be measured")
    return Step("stream", True, "the answer is streamed; this is the time to the first token", reply.ttft_s)


def models_url(base: str) -> str:
    """Where a server lists its models."""
    base = base.rstrip("/")
    return f"{base}{'' if urlsplit(base).path else '/v1'}/models"


def _place(base: str) -> str:
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc}"


def _silent(error: OSError) -> str:
    return (
        "nothing answers there in time"
        if isinstance(error, TimeoutError)
        else f"no connection: {error.strerror or error}"
    )
