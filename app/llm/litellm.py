"""Every provider that has no adapter of its own, through LiteLLM: one sending per call, no retries, no guessing.

LiteLLM is imported inside the call: it takes seconds and two hundred megabytes, and only workers need it.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any
from weakref import WeakKeyDictionary

from app.llm import litellm_errors
from app.llm.answers import Answer, adjustment, reply
from app.llm.around import Around
from app.llm.checks import project_of, typed
from app.llm.litellm_client import GUARDED, GuardedClient
from app.llm.outbound import Forbidden
from app.llm.pictures import NOTHING, has_images, in_openais_words, load
from app.llm.prices import Prices
from app.llm.routes import Route, base_of, key_for, route
from app.llm.sse import broken, usage_of
from app.ports.images import NO_IMAGES, Images
from app.ports.llm import CallError, Json, Listener, ModelRef, Permanent, Price, Reply, Request, TimedOut

_BEFORE_IMPORT = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_MODE": "PRODUCTION",
}
"""Without these LiteLLM fetches tables from the network and reads .env by itself."""

_NAMES = {"max_output_tokens": "max_tokens", "thinking_budget": "thinking"}
_MAY_BE_REFUSED = frozenset(
    {
        "temperature",
        "top_p",
        "seed",
        "reasoning_effort",
        "response_format",
        "presence_penalty",
        "frequency_penalty",
        "stop",
        "verbosity",
        "service_tier",
        "thinking",
    }
)
"""LiteLLM refuses a call with one of these when its table says that the model does not take it."""
_TRANSLATED = _MAY_BE_REFUSED | {"max_tokens", "top_k"}
_NOT_SENT = {"tools": "tools are not sent through LiteLLM"}
"""LiteLLM needs a package more for them, and no training calls any."""
_LATER_S = 1.0
"""LiteLLM's own deadline comes so many seconds after ours: it tells a late answer from a broken one less well."""


class LiteLLM:
    """Implements app.ports.llm.LLM."""

    def __init__(self, prices: Prices | None = None, around: Around | None = None, images: Images = NO_IMAGES) -> None:
        around = around or Around()
        self._images = images
        self._prices = prices or Prices()
        self._around = around
        self._environ = around.environ
        self._project = project_of(around.environ, around.project)
        self._location = around.location
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, GuardedClient] = WeakKeyDictionary()
        self._litellm: Any = None
        self._arguments: frozenset[str] = frozenset()
        """What LiteLLM does not hand to a provider but obeys itself: addresses, keys, other models to ask."""

    async def complete(self, request: Request, *, deadline_s: float) -> Reply:
        """See app.ports.llm.LLM."""
        way = route(request.model)
        access, secrets = self._access(way, request.model)
        if self._litellm is None:
            self._litellm = await asyncio.to_thread(_load)
            self._arguments = _arguments_of(self._litellm)
        if "api_base" in access and way.provider and way.provider.name in GUARDED:
            access["client"] = self._client()
        loaded = await asyncio.to_thread(load, request, self._images) if has_images(request) else NOTHING
        try:
            words, adjustments = self._words(request)
            began = time.perf_counter()
            async with asyncio.timeout(deadline_s):
                stream = await self._litellm.acompletion(
                    model=request.model.name,
                    messages=in_openais_words(request.messages, loaded),
                    stream=True,
                    stream_options={"include_usage": True},
                    timeout=deadline_s + _LATER_S,
                    max_retries=0,
                    num_retries=0,
                    **access,
                    **words,
                )
                answer = await _read(stream, began, request.listener)
        except TimeoutError:
            raise TimedOut(f"no complete answer within {deadline_s:g} s", maybe_paid=True) from None
        except CallError:
            raise
        except Exception as error:  # noqa: BLE001  # the door to a library that raises whatever its providers' clients raise
            raise litellm_errors.read(error, secrets) from None
        return reply(answer, request, self._prices, time.perf_counter() - began, adjustments)

    def price(self, model: ModelRef) -> Price | None:
        """See app.ports.llm.LLM."""
        return self._prices.of(model)

    async def aclose(self) -> None:
        """Close LiteLLM's connections, and make it forget them: it would use closed ones again."""
        if self._litellm is None:
            return
        if client := self._clients.pop(asyncio.get_running_loop(), None):
            await client.close()
        await self._litellm.close_litellm_async_clients()
        self._litellm.in_memory_llm_clients_cache.flush_cache()
        shared = vars(self._litellm).pop("module_level_aclient", None)  # made again when it is next looked up
        if shared is not None:
            await shared.close()

    def _client(self) -> Any:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = GuardedClient(self._around.guard)
        return self._clients[loop].handler

    def _access(self, way: Route, model: ModelRef) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Address and key for a call, and the secrets among them."""
        provider = way.provider
        if model.api_base:
            try:
                typed(way, model.api_base, self._around.guard)
            except Forbidden as error:
                raise Permanent(f"api_base: {error}") from None
        if provider is None or provider.name in ("bedrock", "vertex_ai", "azure_ai"):
            self._lend_environment()
            access: dict[str, Any] = {}
            if provider and provider.name == "vertex_ai":
                access = {"vertex_project": self._project, "vertex_location": model.region or self._location}
            elif provider and provider.name == "bedrock" and model.region:
                access = {"aws_region_name": model.region}
            return access | ({"api_base": model.api_base} if model.api_base else {}), tuple(self._secrets())
        base = base_of(provider, model.api_base, self._environ) if model.api_base or provider.default_base else ""
        key, _ = key_for(provider, base, self._environ, self._around.keys)
        # Without a key of its own LiteLLM would look one up in the environment and send it anywhere.
        access = {"api_key": key or "none"}
        if model.api_base or any(self._environ.get(name) for name in provider.bases):
            access["api_base"] = base
        return access, (key,) if key else ()

    def _lend_environment(self) -> None:
        """LiteLLM reads the variables of these providers itself, and only from the process's environment."""
        if self._environ is not os.environ:
            for name, value in self._environ.items():
                os.environ.setdefault(name, value)

    def _secrets(self) -> list[str]:
        marks = ("KEY", "TOKEN", "SECRET", "PASSWORD")
        return [value for name, value in self._environ.items() if any(mark in name.upper() for mark in marks)]

    def _words(self, request: Request) -> tuple[dict[str, Any], list[Json]]:
        """The settings of a call in LiteLLM's words, without those that the model does not take."""
        words = _spelled(request.model.params)
        if request.response_schema is not None:
            form = {"name": "reply", "schema": request.response_schema, "strict": True}
            words["response_format"] = {"type": "json_schema", "json_schema": form}
        known = self._litellm.get_supported_openai_params(model=request.model.name)
        refused = [name for name in words if known is not None and name in _MAY_BE_REFUSED and name not in known]
        if "temperature" in words and "top_p" in words and request.model.name.startswith("anthropic/"):
            refused.append("top_p")
        kept = [name for name in words if name in self._arguments and name not in _TRANSLATED | set(known or ())]
        refused += [name for name in kept if name != "response_format"]
        refused += [name for name in words if name in _NOT_SENT]
        dropped = {name: words.pop(name) for name in dict.fromkeys(refused)}
        if "response_format" in dropped:
            dropped = {**dropped, "response_format": "json_schema"}
        why = {name: _NOT_SENT.get(name, "the model does not take it") for name in dropped}
        return words, [adjustment(name, value, None, "drop", why[name]) for name, value in dropped.items()]


def _spelled(params: Mapping[str, Json]) -> dict[str, Any]:
    """Parameters under LiteLLM's names."""
    words = {_NAMES.get(name, name): value for name, value in params.items() if value is not None}
    if "thinking" in words:
        words["thinking"] = {"type": "enabled", "budget_tokens": words["thinking"]}
    return words


def _arguments_of(litellm: Any) -> frozenset[str]:
    from litellm.types.utils import all_litellm_params

    return frozenset(all_litellm_params) | frozenset(inspect.signature(litellm.acompletion).parameters)


def _load() -> Any:
    """Import LiteLLM in the state that we need."""
    for name, value in _BEFORE_IMPORT.items():
        os.environ.setdefault(name, value)
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.drop_params = False
    logging.getLogger("LiteLLM").setLevel(logging.ERROR)
    return litellm


async def _read(stream: Any, began: float, listener: Listener | None = None) -> Answer:
    """The answer in LiteLLM's stream of chunks."""
    answer = Answer()
    text: list[str] = []
    thought: list[str] = []
    async with aclosing(_chunks(stream)) as chunks:
        async for chunk in chunks:
            answer.model = getattr(chunk, "model", "") or answer.model
            if getattr(chunk, "usage", None):
                answer.usage = usage_of(chunk.usage.model_dump())
            for choice in chunk.choices[:1]:
                said, mused = choice.delta.content or "", getattr(choice.delta, "reasoning_content", None) or ""
                if said or mused:
                    answer.heard(time.perf_counter() - began)
                if said and listener:
                    listener.hear(said)
                if getattr(choice, "logprobs", None):
                    answer.record["logprobs"] = True
                text.append(said)
                thought.append(mused)
                answer.finish = choice.finish_reason or answer.finish
    answer.text, answer.thought = "".join(text), "".join(thought)
    _refuse_invented(stream, answer)
    return answer


async def _chunks(stream: Any) -> AsyncGenerator[Any, None]:
    """The chunks of a stream that is closed whatever happens."""
    try:
        async for chunk in stream:
            yield chunk
    finally:
        await stream.aclose()


def _refuse_invented(stream: Any, answer: Answer) -> None:
    """LiteLLM ends a stream that broke off, or held nothing, with "stop"; and it counts what it was not told."""
    if not any(getattr(chunk, "usage", None) for chunk in stream.chunks):
        answer.usage = None
    deltas = [choice.delta for chunk in stream.chunks for choice in chunk.choices]
    spoke = any(delta.role or delta.content is not None for delta in deltas)
    finished = stream.received_finish_reason or stream.intermittent_finish_reason
    if not finished or (stream.received_finish_reason == "stop" and not spoke):
        raise broken("it holds no finished answer")
