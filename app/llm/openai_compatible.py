"""Any server that speaks OpenAI's chat API, over one thin HTTP client: OpenAI, Azure, vLLM, Ollama, LM Studio, any base URL."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from weakref import WeakKeyDictionary

import aiohttp

from app.llm import dialect, outbound, sse
from app.llm.answers import Answer, reply
from app.llm.around import Around
from app.llm.failures import Refusal, error_of, lower, read_refusal, scrub
from app.llm.outbound_aiohttp import connector
from app.llm.pictures import NOTHING, has_images, load
from app.llm.prices import Prices
from app.llm.routes import Endpoint, endpoint, is_local, route
from app.ports.images import NO_IMAGES, Images
from app.ports.llm import (
    CallError,
    Listener,
    ModelRef,
    Permanent,
    Price,
    Rejected,
    Reply,
    Request,
    ServerFault,
    TimedOut,
    Unreachable,
)

CONNECT_S = 15.0
"""Seconds for name resolution and connection."""

MOST_CONCESSIONS = 6


class _Refused(Exception):
    """The server answered, with a refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class OpenAICompatible:
    """Implements app.ports.llm.LLM. Keys, base URLs and what may be connected to come from ``around``.

    What a server turned out not to understand (a parameter, a schema, usage in streams) is remembered for its address and
    model, and left out from then on; the reply's raw["adjustments"] says so.
    """

    def __init__(self, prices: Prices | None = None, around: Around | None = None, images: Images = NO_IMAGES) -> None:
        self._images = images
        self._prices = prices or Prices()
        self._around = around or Around()
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()
        self._targets: dict[tuple[str, str | None], Endpoint] = {}
        self._refused: dict[tuple[str, str], frozenset[str]] = {}
        self._proxies = getproxies()

    async def complete(self, request: Request, *, deadline_s: float) -> Reply:
        """See app.ports.llm.LLM."""
        target = self._target(request.model)
        try:
            async with asyncio.timeout(deadline_s):
                return await self._negotiate(request, target)
        except TimeoutError:
            raise TimedOut(f"no complete answer within {deadline_s:g} s", maybe_paid=True) from None

    def _target(self, model: ModelRef) -> Endpoint:
        """Where the model's calls go; worked out once."""
        place = (model.name, model.api_base)
        if place not in self._targets:
            self._targets[place] = endpoint(route(model), model.api_base, self._around.environ, self._around.keys)
        return self._targets[place]

    def price(self, model: ModelRef) -> Price | None:
        """See app.ports.llm.LLM."""
        return self._prices.of(model)

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session:
            await session.close()

    async def _negotiate(self, request: Request, target: Endpoint) -> Reply:
        """Ask, and ask again with less when the server refuses a word; a refused request was not answered or paid."""
        place = (target.url, target.model)
        refused = self._refused.get(place, frozenset())
        loaded = await asyncio.to_thread(load, request, self._images) if has_images(request) else NOTHING
        for _ in range(MOST_CONCESSIONS):
            body, adjustments = dialect.body_of(request, target.model, refused, loaded)
            began = time.perf_counter()
            try:
                answer = await self._exchange(target, json.dumps(body).encode(), began, request.listener)
            except _Refused as error:
                word = dialect.concession(error.refusal, body)
                if word is None:
                    raise error_of(error.refusal, target.secrets, target.hint) from None
                refused |= {word}
                continue
            if refused:
                self._refused[place] = self._refused.get(place, frozenset()) | refused
            return reply(answer, request, self._prices, time.perf_counter() - began, adjustments)
        raise Rejected(
            f"the server refused every form of the request, the last time without {', '.join(sorted(refused))}"
        )

    async def _exchange(self, target: Endpoint, body: bytes, began: float, listener: Listener | None) -> Answer:
        try:
            self._around.guard.check(target.url)
            post = self._session().post(
                target.url, data=body, headers=target.headers, allow_redirects=False, proxy=self._proxy(target.url)
            )
            async with post as response:
                return await _read(response, lambda: time.perf_counter() - began, listener)
        except sse.RefusedInside as error:
            raise _late(error_of(error.refusal, target.secrets, target.hint)) from None
        except outbound.Forbidden as error:
            raise Permanent(f"api_base: {error}") from None
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            if refusal := outbound.forbidden(error):
                raise Permanent(f"api_base: {refusal}") from None
            raise Unreachable(
                f"no connection to {_place(target.url)}: {scrub(_cause(error), target.secrets)}"
            ) from None
        except aiohttp.ClientPayloadError as error:
            raise sse.broken(f"it was cut off ({type(error).__name__})") from None
        except aiohttp.InvalidURL:
            raise Rejected(f"{_place(target.url)} is not an address") from None
        except (aiohttp.ClientError, ConnectionError) as error:
            what = f"{_place(target.url)} closed the connection before it answered ({type(error).__name__})"
            raise Unreachable(what, maybe_paid=True) from None

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None:
            session = self._sessions[loop] = aiohttp.ClientSession(
                connector=connector(self._around.guard, limit=0, ttl_dns_cache=300),
                timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=True,
            )
        return session

    def _proxy(self, url: str) -> str | None:
        if not self._proxies:
            return None
        parts = urlsplit(url)
        passed_by = is_local(parts.hostname or "") or proxy_bypass(parts.netloc)
        return None if passed_by else self._proxies.get(parts.scheme)


async def _read(response: aiohttp.ClientResponse, elapsed: Callable[[], float], listener: Listener | None) -> Answer:
    if response.status != 200:
        body = await _bounded(response, 64 * 1024)
        raise _Refused(read_refusal(response.status, lower(response.headers), body))
    kind = response.content_type
    if kind == "text/event-stream":
        return await sse.read_stream(response.content.iter_any(), elapsed, listener)
    if kind == "text/html":
        raise ServerFault("the server sent a web page instead of an answer", maybe_paid=True)
    body = await _bounded(response, sse.LARGEST_BODY + 1)
    if len(body) > sse.LARGEST_BODY:
        raise sse.broken(f"over {sse.LARGEST_BODY} bytes")
    return sse.read_whole(body)


async def _bounded(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The body, or its first ``most`` bytes."""
    parts, size = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size >= most:
            break
    return b"".join(parts)[:most]


def _late(error: CallError) -> CallError:
    error.maybe_paid = True
    return error


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _cause(error: Exception) -> str:
    inner = getattr(error, "os_error", None)
    return str(inner.strerror or inner) if isinstance(inner, OSError) else type(error).__name__
