"""Gemini on Vertex AI through google-cloud-aiplatform: its prediction client over REST, driven from threads, never gRPC.

google-cloud-aiplatform is imported inside the call: it is large, and only workers need it.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.llm import vertex_wire
from app.llm.answers import reply
from app.llm.checks import project_of
from app.llm.prices import Prices
from app.llm.routes import checked, route
from app.ports.llm import ModelRef, Price, Reply, Request, TimedOut, Unauthorized

if TYPE_CHECKING:
    from google.cloud.aiplatform_v1.services.prediction_service import PredictionServiceClient

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
MOST_THREADS = 512
"""Calls under way at the same time; threads are made as they are needed."""

_FILE = "GOOGLE_APPLICATION_CREDENTIALS"
_PIECE = 65536


@dataclass(frozen=True, slots=True)
class _Target:
    """host: base URL of the service. model: resource name."""

    host: str
    model: str


class Vertex:
    """Implements app.ports.llm.LLM for ``vertex_ai/gemini-...`` and ``vertex_ai/endpoints/...`` (tuned models).

    Credentials are Google's Application Default Credentials; they are sent to googleapis.com and nowhere else.
    """

    def __init__(
        self,
        prices: Prices | None = None,
        environ: Mapping[str, str] | None = None,
        project: str = "",
        location: str = "global",
    ) -> None:
        self._prices = prices or Prices()
        self._environ = os.environ if environ is None else environ
        self._project = project_of(self._environ, project)
        self._location = location or "global"
        self._threads = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="vertex")
        self._local = threading.local()
        self._lock = threading.Lock()
        self._credentials: Any = None
        self._transports: list[Any] = []

    async def complete(self, request: Request, *, deadline_s: float) -> Reply:
        """See app.ports.llm.LLM."""
        target = self._target(request.model)
        call = _Call(deadline_s)
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._call, request, target, call)
        try:
            async with asyncio.timeout(deadline_s):
                return await work
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
        """Let the threads end; one that still waits for an answer ends with its deadline."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for transport in self._transports:
            transport.close()
        self._transports.clear()

    def _target(self, model: ModelRef) -> _Target:
        name = route(model).model
        if not name.startswith("projects/"):
            name = name if name.startswith("endpoints/") else f"publishers/google/models/{name}"
            if not self._project:
                raise Unauthorized("no project for Vertex AI: set project_id in config.yaml or GOOGLE_CLOUD_PROJECT")
            name = f"projects/{self._project}/locations/{self._location}/{name}"
        return _Target(checked(model.api_base) if model.api_base else host_of(name.split("/")[3]), name)

    def _call(self, request: Request, target: _Target, call: _Call) -> Reply:
        """One call, in a thread."""
        began = time.perf_counter()
        sent, adjustments = vertex_wire.request_of(request, target.model)
        with vertex_wire.errors():
            client = self._client(target.host)
            stream = client.stream_generate_content(sent, retry=None, timeout=call.remaining())
            call.follow(stream)
            answer = vertex_wire.read(stream, lambda: time.perf_counter() - began)
        return reply(answer, request, self._prices, time.perf_counter() - began, adjustments)

    def _client(self, host: str) -> PredictionServiceClient:
        """This thread's client for a host: sessions of requests are not made for several threads."""
        clients: dict[str, PredictionServiceClient] = self._local.__dict__.setdefault("clients", {})
        if host not in clients:
            clients[host] = self._new_client(host)
        return clients[host]

    def _new_client(self, host: str) -> PredictionServiceClient:
        from google.cloud.aiplatform_v1.services.prediction_service import PredictionServiceClient

        client = PredictionServiceClient(
            transport="rest", credentials=self._credentials_for(host), client_options={"api_endpoint": host}
        )
        # By default the stream is read byte by byte, which takes more time than all the rest of a call.
        transport: Any = client.transport
        transport._session.hooks["response"].append(_read_in_pieces)
        self._transports.append(transport)
        return client

    def _credentials_for(self, host: str) -> Any:
        import google.auth
        from google.auth.credentials import AnonymousCredentials

        name = urlsplit(host).hostname or ""
        if not name.endswith(".googleapis.com"):
            return AnonymousCredentials()  # type: ignore[no-untyped-call]
        with self._lock:
            if self._credentials is None:
                if file := self._environ.get(_FILE):
                    os.environ.setdefault(_FILE, file)  # which may have been named in .env only
                self._credentials, _ = google.auth.default(scopes=[SCOPE])
            return self._credentials


def host_of(location: str) -> str:
    """Base URL of the service for a location: global, a multi-region (us, eu) or a region."""
    if location == "global":
        return "https://aiplatform.googleapis.com"
    if location in ("us", "eu"):
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


def _read_in_pieces(response: Any, **_: Any) -> Any:
    one_by_one = response.iter_content

    def iter_content(chunk_size: int = 1, decode_unicode: bool = False) -> Any:
        return one_by_one(max(chunk_size, _PIECE), decode_unicode)

    response.iter_content = iter_content
    return response


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
