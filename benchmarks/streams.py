"""Pages and event streams of the real server while ten runs are under way and many clients watch them.

The reference for the pages is the same server before anything runs; an event's delay counts from its time in the database.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.store.database import Database
from app.store.models import Event, Run
from benchmarks import training
from benchmarks.report import Cell, Table
from benchmarks.setting import Provider, process, provider
from tests.servers import free_port

RUNS, CLIENTS = 10, 500
GOAL_S = 1.0
RAISED = {"WHETSTONE_MAX_STREAMS": "600", "WHETSTONE_MAX_STREAMS_PER_CLIENT": "600", "WHETSTONE_WEB_THREADS": "640"}
LATENCY_S, TOLD_EVERY_S = 0.5, 0.5
UP_WITHIN_S, ENDS_WITHIN_S = 60.0, 30.0


@dataclass(frozen=True)
class Site:
    """A served Whetstone. url: of its database."""

    port: int
    url: str


@dataclass(frozen=True)
class Watched:
    """What the pages and the readers saw of one state of the server."""

    title: str
    pages_ms: list[float]
    readers: dict[str, Any]
    delays_s: list[float]


def measure(quick: bool) -> list[Table]:
    """The tables of this measurement."""
    seconds, clients = (5.0, 50) if quick else (15.0, CLIENTS)
    found: list[Watched] = []
    variants: dict[str, dict[str, str]] = {"as delivered": {}, "with raised limits": RAISED}
    if quick:
        variants.pop("as delivered")
    with provider(LATENCY_S) as mock:
        for title, environ in variants.items():
            with site(environ) as server:
                found += _states(server, mock, title, seconds, clients)
    return [_pages(found), _streams(found, clients)]


def _states(server: Site, mock: Provider, title: str, seconds: float, clients: int) -> Iterator[Watched]:
    """The server at rest, with runs, and with runs and clients."""
    ask(server, _addresses(""), 0.0)  # templates are compiled at the first look
    yield Watched(f"{title}: at rest", ask(server, _addresses(""), seconds / 3), {}, [])
    runs = [start(server, mock) for _ in range(RUNS)]
    _wait_for_runs(server, RUNS)
    ask(server, _addresses(runs[0]), 0.0)
    yield Watched(f"{title}: {RUNS} runs", ask(server, _addresses(runs[0]), seconds), {}, [])
    words = [str(server.port), str(clients), str(seconds), *runs]
    with telling(server, runs), process([sys.executable, "-m", "benchmarks.readers", *words]) as readers:
        time.sleep(min(2.0, seconds / 2))
        pages_ms = ask(server, _addresses(runs[0]), seconds - 2.0)
        told = json.loads(readers.communicate(timeout=seconds + 60)[0])
    yield Watched(f"{title}: {RUNS} runs, {clients} clients", pages_ms, told, _delays(server, told["arrivals"]))


@contextmanager
def telling(server: Site, runs: Sequence[str]) -> Iterator[None]:
    """Two events a second in every run, beside its own: of those, newer progress replaces what was told before."""
    ended = threading.Event()

    def tell() -> None:
        with Database(server.url) as database:
            while not ended.wait(TOLD_EVERY_S):
                with database.session() as session:
                    session.add_all(
                        Event(run_id=run, name="log", data={"level": "info", "text": "tick"}) for run in runs
                    )
                    session.commit()

    teller = threading.Thread(target=tell)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()


@contextmanager
def site(environ: dict[str, str]) -> Iterator[Site]:
    """``whetstone up`` in a folder of its own, with a worker for every run; all of it ends with the block."""
    with tempfile.TemporaryDirectory(prefix="whetstone-bench-", ignore_cleanup_errors=True) as name:
        port = free_port()
        settings = {"DATA_DIR": f"{name}/data", "PORT": port, "REDIS_PORT": free_port(), "WORKER_PROCESSES": RUNS}
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith("WHETSTONE_") and key != "REDIS_URL"
        }
        kept |= {f"WHETSTONE_{key}": str(value) for key, value in settings.items()} | environ
        with Path(name, "up.log").open("w") as log:
            command = [sys.executable, "-m", "app.cli", "up"]
            server = subprocess.Popen(command, env=kept, stdout=log, stderr=log, start_new_session=True)
            try:
                _wait_until_up(server, port, Path(name, "up.log"))
                yield Site(port, f"sqlite:///{name}/data/app.db")
            finally:
                server.send_signal(signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    server.wait(ENDS_WITHIN_S)
                server.kill()
                server.wait()


def _wait_until_up(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + UP_WITHIN_S
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(OSError, http.client.HTTPException):
            if get(port, "/healthz")[0] == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the server did not start: {log.read_text()[-400:]}")


def get(port: int, path: str) -> tuple[int, float]:
    """Status and seconds of one page."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.status, time.perf_counter() - began
    finally:
        connection.close()


def start(server: Site, mock: Provider) -> str:
    """Queue a long training whose calls leave the machine time to breathe; a worker's sweep finds it."""
    return training.start(server.url, mock, concurrency=2, epochs=20, rows=1280)


def _wait_for_runs(server: Site, runs: int) -> None:
    deadline = time.monotonic() + UP_WITHIN_S
    with Database(server.url) as database:
        while time.monotonic() < deadline:
            with database.session() as session:
                if len(session.scalars(select(Run.id).where(Run.status == "running")).all()) >= runs:
                    return
            time.sleep(0.2)
    raise RuntimeError(f"not all of {runs} runs were under way within {UP_WITHIN_S:g} s")


def _addresses(run_id: str) -> list[str]:
    run = [f"/runs/{run_id}", f"/runs/{run_id}/parts/state"] if run_id else []
    return ["/", "/runs", "/datasets", "/prompts", *run]


def ask(server: Site, addresses: Sequence[str], seconds: float) -> list[float]:
    """Milliseconds of each page, asked for one after the other, at least once. Raises: RuntimeError for one that fails."""
    took: list[float] = []
    deadline = time.monotonic() + seconds
    while not took or time.monotonic() < deadline:
        for path in addresses:
            status, seconds_taken = get(server.port, path)
            if status != 200:
                raise RuntimeError(f"{path} answered {status}")
            took.append(1000 * seconds_taken)
            time.sleep(0.02)
    return took


def _delays(server: Site, arrivals: dict[str, list[float]]) -> list[float]:
    """Seconds from each event's time in the database to each reader, for events that came while all were there."""
    if not arrivals:
        return []
    with Database(server.url) as database, database.session() as session:
        written = {e.id: e.at.replace(tzinfo=UTC).timestamp() for e in session.scalars(select(Event))}
    begun = min(min(times) for times in arrivals.values()) + 2.5  # the first ones only catch up
    return [
        max(0.0, moment - written[int(number)])
        for number, times in arrivals.items()
        if written.get(int(number), 0.0) > begun  # progress that newer progress has replaced is not there any more
        for moment in times
    ]


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that a share of them does not exceed; None without any."""
    return sorted(values)[max(0, round(share * len(values)) - 1)] if values else None


def _pages(found: Sequence[Watched]) -> Table:
    rows: list[list[Cell]] = []
    rest: list[float] = []
    for one in found:
        p50, p95 = percentile(one.pages_ms, 0.5), percentile(one.pages_ms, 0.95)
        rest = one.pages_ms if one.title.endswith("at rest") else rest
        at_rest = percentile(rest, 0.95)
        rows.append([one.title, len(one.pages_ms), p50, p95, p95 / at_rest if p95 and at_rest else None])
    return Table(
        "Pages of the served application",
        ("server", "pages asked for", "median, ms", "p95, ms", "p95 / at rest"),
        rows,
        ["Home, lists and a run's page, one after the other. Goal: pages do not notice the streams."],
    )


def _streams(found: Sequence[Watched], clients: int) -> Table:
    rows: list[list[Cell]] = []
    for one in found:
        if not one.readers:
            continue
        counts = [one.readers[name] for name in ("most", "refused", "broken")]
        delays = [percentile(one.delays_s, share) for share in (0.5, 0.95, 1.0)]
        rows.append([one.title, *counts, len(one.delays_s), *delays])
    raised = ", ".join(f"{name.removeprefix('WHETSTONE_').lower()}={value}" for name, value in RAISED.items())
    return Table(
        f"Event streams for {clients} clients at one address",
        ("server", "open at once", "refusals", "broken off", "events received", "delay p50, s", "p95, s", "most, s"),
        rows,
        [
            f"Goal: p95 of the delay <= {GOAL_S:g} s with {CLIENTS} clients. Raised limits: {raised}. As delivered, the server "
            "refuses what is beyond its limits, and the client comes back after five seconds."
        ],
    )
