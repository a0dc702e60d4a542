"""Gemini on Vertex AI through google-cloud-aiplatform: its prediction client over REST, driven from threads, never gRPC.

google-cloud-aiplatform is imported inside the call: it is large, and only workers need it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.llm import vertex_wire
from app.llm.answers import reply
from app.llm.around import Around
from app.llm.checks import project_of
from app.llm.pictures import load
from app.llm.prices import Prices
from app.llm.routes import checked, route
from app.llm.vertex_clients import Clients
from app.ports.images import NO_IMAGES, Images
from app.ports.llm import ModelRef, Price, Reply, Request, TimedOut, Unauthorized


@dataclass(frozen=True, slots=True)
class _Target:
    """host: base URL of the service. model: resource name."""

    host: str
    model: str


class Vertex:
    """Implements app.ports.llm.LLM for ``vertex_ai/gemini-...`` and ``vertex_ai/endpoints/...`` (tuned models)."""

    def __init__(self, prices: Prices | None = None, around: Around | None = None, images: Images = NO_IMAGES) -> None:
        around = around or Around()
        self._images = images
        self._prices = prices or Prices()
        self._project = project_of(around.environ, around.project)
        self._location = around.location or "global"
        self._guard = around.guard
        self._clients = Clients(around.environ, around.guard)

    async def complete(self, request: Request, *, deadline_s: float) -> Reply:
        """See app.ports.llm.LLM."""
        target = self._target(request.model)
        call = _Call(deadline_s)
        try:
            async with asyncio.timeout(deadline_s):
                return await _in_thread(lambda: self._call(request, target, call))
        except TimeoutError:
            call.cancel()
            raise TimedOut(f"no complete answer within {deadline_s:g} s", maybe_paid=True) from None
        except asyncio.CancelledError:
            call.cancel()
            raise

    def price(self, model: ModelRef) -> Price | None:
        """See app.ports.llm.LLM."""
        return self._prices.of(model)

    async def aclose(self) -> None:
        """Close the connections; a thread that still waits for an answer ends with its deadline."""
        self._clients.close()

    def _target(self, model: ModelRef) -> _Target:
        name = route(model).model
        if not name.startswith("projects/"):
            name = name if name.startswith("endpoints/") else f"publishers/google/models/{name}"
            if not self._project:
                raise Unauthorized("no project for Vertex AI: set project_id in config.yaml or GOOGLE_CLOUD_PROJECT")
            name = f"projects/{self._project}/locations/{model.region or self._location}/{name}"
        return _Target(checked(model.api_base) if model.api_base else host_of(name.split("/")[3]), name)

    def _call(self, request: Request, target: _Target, call: _Call) -> Reply:
        """One call, in a thread."""
        sent, adjustments = vertex_wire.request_of(request, target.model, load(request, self._images))
        with vertex_wire.errors(), self._clients.lent(target.host) as client:
            began = time.perf_counter()
            stream = client.stream_generate_content(sent, retry=None, timeout=call.remaining())
            call.follow(stream)
            answer = vertex_wire.read(stream, lambda: time.perf_counter() - began, request.listener)
        return reply(answer, request, self._prices, time.perf_counter() - began, adjustments)


def host_of(location: str) -> str:
    """Base URL of the service for a location: global, a multi-region (us, eu) or a region."""
    if location == "global":
        return "https://aiplatform.googleapis.com"
    if location in ("us", "eu"):
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


class _Call:
    """What ties a call's thread to whoever waits for it."""

    def __init__(self, deadline_s: float) -> None:
        self._end = time.monotonic() + deadline_s
        self._stream: Any = None
        self._over = False

    def remaining(self) -> float:
        """Seconds left, at least a little."""
        return max(0.01, self._end - time.monotonic())

    def follow(self, stream: Any) -> None:
        """From now on ``cancel`` closes this stream."""
        self._stream = stream
        if self._over:
            stream.cancel()

    def cancel(self) -> None:
        """Nobody waits any more: the thread's next read fails."""
        self._over = True
        if self._stream is not None:
            self._stream.cancel()


async def _in_thread(work: Callable[[], Reply]) -> Reply:
    """What ``work`` returns or raises in a thread of its own.

    A daemon thread, not an executor's: the process must be able to end while a call hangs.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Reply] = loop.create_future()

    def settle(give: Callable[[], None]) -> None:
        if not future.done():
            give()

    def run() -> None:
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001  # it is raised where it is awaited
            give: Callable[[], None] = partial(future.set_exception, error)
        else:
            give = partial(future.set_result, value)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, give)

    threading.Thread(target=run, name="vertex call", daemon=True).start()
    return await future
