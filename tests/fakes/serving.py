"""Runs an aiohttp application on a port of its own, in a thread, and keeps the books of what was asked and paid for."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.fakes import faults
from tests.fakes.rule_world import RuleWorld


@dataclass(frozen=True)
class Recorded:
    """One request as it came over the wire; header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    query: str = ""

    @property
    def digest(self) -> str:
        """Same path and body, same digest."""
        return hashlib.sha256(json.dumps([self.path, self.body], sort_keys=True).encode()).hexdigest()[:16]


@dataclass
class Ledger:
    """What a server was asked and what it would put on the bill."""

    requests: int = 0
    paid: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    in_flight: int = 0
    peak: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    digests: Counter[str] = field(default_factory=Counter)
    log: deque[Recorded] = field(default_factory=lambda: deque(maxlen=20_000))

    def arrive(self, request: Recorded) -> None:
        """A request has come in."""
        self.requests += 1
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        self.log.append(request)

    def pay(self, request: Recorded, model: str, prompt_tokens: int, completion_tokens: int) -> None:
        """The model has answered: the customer owes for it, whether or not the answer arrives."""
        self.paid += 1
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens
        self.models[model] += 1
        self.digests[request.digest] += 1

    def as_json(self) -> dict[str, Any]:
        """The counts; ``repeated`` is how many paid requests equal an earlier paid one."""
        return {
            "requests": self.requests,
            "paid": self.paid,
            "repeated": self.paid - len(self.digests),
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "in_flight": self.in_flight,
            "peak": self.peak,
            "faults": dict(self.faults),
            "models": dict(self.models),
        }


class ThreadedServer:
    """Base of the fakes: subclasses make the application; ``with`` starts and stops it on 127.0.0.1."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._ready = threading.Event()
        self._runner: web.AppRunner | None = None

    def application(self) -> web.Application:
        """The routes to serve."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://127.0.0.1:{self.port}"

    async def listen(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Start in the running loop; returns the port."""
        self._runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, backlog=1024)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self.port

    def start(self) -> None:
        """Serve from a thread; returns once connections are accepted."""
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the fake server did not start")

    def stop(self) -> None:
        """Close every connection and end the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self.listen())
        self._ready.set()
        self._loop.run_forever()
        if self._runner:
            self._loop.run_until_complete(self._runner.cleanup())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class FakeProvider(ThreadedServer):
    """A provider that answers by rule and fails on demand; subclasses speak its protocol.

    latency_s: before the first byte. api_key: refuse every other key.
    """

    def __init__(
        self,
        world: RuleWorld | None = None,
        *,
        latency_s: float = 0.0,
        api_key: str = "",
        faults: Sequence[faults.Fault] = (),
    ) -> None:
        super().__init__()
        self.world = world or RuleWorld()
        self.latency_s = latency_s
        self.api_key = api_key
        self.play(*faults)

    def play(self, *rules: faults.Fault) -> None:
        """Replace the faults in force."""
        self.plan = faults.FaultPlan(rules)

    def application(self) -> web.Application:
        app = web.Application(client_max_size=64 * 2**20)
        books = [web.get("/count", self._count), web.get("/log", self._log)]
        switches = [web.post("/reset", self._reset), web.post("/faults", self._set_faults)]
        app.add_routes([*books, *switches, *self.routes()])
        return app

    def routes(self) -> Iterable[web.RouteDef]:
        """The provider's own routes."""
        raise NotImplementedError

    async def respond(self, request: web.Request, recorded: Recorded) -> web.StreamResponse:
        """Answer one request that has been written down."""
        raise NotImplementedError

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Write a request down and answer it; the handler of the routes that cost something."""
        body = json.loads(await request.read())
        headers = {name.lower(): value for name, value in request.headers.items()}
        recorded = Recorded(request.path, headers, body, request.query_string)
        ledger = self.ledger
        ledger.arrive(recorded)
        try:
            return await self.respond(request, recorded)
        finally:
            ledger.in_flight -= 1

    def draw(self, recorded: Recorded) -> tuple[faults.Fault | None, str]:
        """The fault that this request meets, and its kind; None and "" for none."""
        fault = self.plan.draw(recorded.body)
        if fault:
            self.ledger.faults[fault.kind] += 1
        return fault, fault.kind if fault else ""

    async def _count(self, request: web.Request) -> web.Response:
        return web.json_response(self.ledger.as_json())

    async def _reset(self, request: web.Request) -> web.Response:
        self.ledger = Ledger(in_flight=self.ledger.in_flight)
        self.play()
        return web.json_response({})

    async def _set_faults(self, request: web.Request) -> web.Response:
        try:
            self.plan = faults.FaultPlan.from_json(await request.json())
        except (ValueError, TypeError, KeyError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({})

    async def _log(self, request: web.Request) -> web.Response:
        return web.json_response([{"path": r.path, "body": r.body} for r in self.ledger.log])
