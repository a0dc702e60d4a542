"""What measurements stand on: the mock provider, databases, and processes that are always cleaned up."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.store.database import Database
from app.store.models import Run

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Provider:
    """The running mock. latency_s: of every answer."""

    address: str
    latency_s: float

    @property
    def base(self) -> str:
        """Base URL in OpenAI's manner."""
        return f"{self.address}/v1"

    def reset(self) -> None:
        """Start the count anew."""
        self._get("reset")

    def books(self) -> dict[str, Any]:
        """What came since: calls, peak (in flight at once), wall_s (first arrival to last answer)."""
        return self._get("count")

    def _get(self, what: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.address}/{what}", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


@contextmanager
def provider(latency_s: float = 0.2) -> Iterator[Provider]:
    """A mock in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.mock", "--latency", str(latency_s)]
    with process(command) as server:
        assert server.stdout
        port = server.stdout.readline().strip()
        yield Provider(f"http://127.0.0.1:{port}", latency_s)


@contextmanager
def process(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process with pipes for its input and output; it is killed at the end unless it has ended by then."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "cwd": ROOT}
    running = subprocess.Popen(command, text=True, **pipes | options)
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


@dataclass(frozen=True)
class Load:
    """What one driving process does (see driver.py).

    task: "evaluation" or "training". lane: "bare" (aiohttp alone), "openai", "litellm", "vertex", or "instant" (answers without
    any network). database: address of a migrated one, or "" for a journal in memory. run_id: of a queued run in it.
    first: number of its first case. traced: also watch Python's own allocations.
    """

    lane: str
    base: str
    calls: int
    concurrency: int
    database: str = ""
    run_id: str = ""
    first: int = 0
    task: str = "evaluation"
    traced: bool = False


@dataclass(frozen=True)
class Took:
    """wall_s: from the start signal until the last process was done. cpu_s: of all of them. rss_mb: peak of the largest, and
    before_mb what it had before it began. traced_mb: peak of Python's allocations beyond those before, when they were watched.
    stages: pieces of each stage of a training.
    """

    wall_s: float
    cpu_s: float
    rss_mb: float
    before_mb: float
    traced_mb: float | None
    stages: list[int]


def drive(loads: Sequence[Load], most_s: float = 600.0) -> Took:
    """Do the loads at the same time, each in a process of its own; they start together, warmed up.

    Raises: RuntimeError with the last words of a process that failed.
    """
    drivers = [subprocess.Popen(_command(load), stdin=-1, stdout=-1, stderr=-1, text=True, cwd=ROOT) for load in loads]
    try:
        for driver in drivers:
            assert driver.stdout
            _said(driver, driver.stdout.readline())
        began = time.monotonic()
        for driver in drivers:
            assert driver.stdin
            driver.stdin.write("go\n")
            driver.stdin.flush()
        found = [_said(driver, driver.communicate(timeout=most_s)[0]) for driver in drivers]
        last = max(one["ended"] for one in found)
    finally:
        for driver in drivers:
            driver.kill()
            driver.communicate()
    largest = max(found, key=lambda one: one["rss_mb"])
    cpu_s = sum(one["cpu_s"] for one in found)
    figures = (largest[name] for name in ("rss_mb", "before_mb", "traced_mb", "stages"))
    return Took(last - began, cpu_s, *figures)


def _command(load: Load) -> list[str]:
    return [sys.executable, "-m", "benchmarks.driver", json.dumps(asdict(load))]


def _said(driver: subprocess.Popen[str], line: str) -> dict[str, Any]:
    if not line.strip():
        words = driver.communicate()[1].strip().splitlines()
        raise RuntimeError(words[-1] if words else f"a driving process ended with status {driver.returncode}")
    said: dict[str, Any] = json.loads(line.strip().splitlines()[-1])
    return said


@contextmanager
def sqlite() -> Iterator[str]:
    """Address of a new SQLite database with all tables."""
    with tempfile.TemporaryDirectory(prefix="whetstone-bench-") as folder:
        yield migrated(f"sqlite:///{folder}/bench.db")


@contextmanager
def postgresql() -> Iterator[str]:
    """Address of a new PostgreSQL database with all tables, on a server that keeps every commit on the disk."""
    from tests.servers import postgres

    with postgres(durable=True) as url:
        yield migrated(url)


def migrated(url: str) -> str:
    """The address itself, with all tables in the database."""
    with Database(url) as database:
        database.upgrade()
    return url


def queued_run(url: str) -> str:
    """Id of a new run in the queue."""
    run_id = secrets.token_hex(5)
    with Database(url) as database, database.session() as session:
        session.add(Run(id=run_id, kind="train", name="benchmark", status="queued", spec={}, simulated=False))
        session.commit()
    return run_id


def middle(measure: Callable[[], float], times: int) -> float:
    """The median of several measurements."""
    values = sorted(measure() for _ in range(times))
    return values[len(values) // 2]
