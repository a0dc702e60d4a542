"""How close the engine comes to the models' own speed: 1,000 calls of 200 ms against a local server.

    python benchmarks/throughput.py [--calls 1000] [--latency 0.2] [--concurrency 64 256]

efficiency = ideal wall time (calls x latency / concurrency) / actual wall time, journal and database included. The reference
in the same run is a bare aiohttp client that keeps nothing. The result goes to benchmarks/results/ as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import json
import os
import platform
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import aiohttp  # noqa: E402

from app.config import load  # noqa: E402
from app.core import scorers  # noqa: E402
from app.core.budget import Budget, Limits  # noqa: E402
from app.core.desk import Policy  # noqa: E402
from app.core.model import Candidate, Case, Exam  # noqa: E402
from app.core.responders.single_turn import SingleTurn  # noqa: E402
from app.core.run import Run  # noqa: E402
from app.llm.gateway import Gateway  # noqa: E402
from app.ports.journal import Journal  # noqa: E402
from app.ports.llm import ModelRef  # noqa: E402
from app.store import claims  # noqa: E402
from app.store.database import Database  # noqa: E402
from app.store.journal import SqlJournal  # noqa: E402
from app.store.memory import MemoryRecord  # noqa: E402
from app.store.models import Run as RunRow  # noqa: E402


@contextmanager
def mock(latency_s: float) -> Iterator[str]:
    """A server in a process of its own; yields its base URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = ROOT / "tests/fakes/openai_server.py"
    command = [sys.executable, str(script), "--port", str(port), "--latency", str(latency_s)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait()


async def bare(base: str, calls: int, concurrency: int) -> None:
    """The reference: the same requests by aiohttp alone."""
    queue = iter(range(calls))

    async def worker(session: aiohttp.ClientSession) -> None:
        for number in queue:
            messages = [{"role": "user", "content": f"question {number}"}]
            async with session.post(f"{base}/chat/completions", json={"model": "rule", "messages": messages}) as answer:
                await answer.json()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:
        await asyncio.gather(*(worker(session) for _ in range(concurrency)))


async def ours(base: str, calls: int, concurrency: int, journal: Journal) -> None:
    """One evaluation on the engine through the OpenAI-compatible adapter."""
    llm = Gateway(load(environ={}), {"OPENAI_API_KEY": "unused"})
    run = Run(llm, journal, Budget(Limits(), await journal.totals()), Policy(), concurrency=concurrency, resumed=False)
    candidate = Candidate("", "", ModelRef("openai/rule", {"max_output_tokens": 50}, base))
    cases = [Case(str(i), f"question {i}", "answer") for i in range(calls)]
    exam = Exam(SingleTurn(), scorers.build("exact_match"))
    try:
        report = await run.conduct(lambda run: run.evaluate([candidate], cases, exam))
    finally:
        await llm.aclose()
    if any(sample.outcome != "scored" for sample in report.samples):
        raise SystemExit(f"a call failed: {next(s for s in report.samples if s.error)}")


@asynccontextmanager
async def sqlite_journal() -> AsyncIterator[SqlJournal]:
    """A journal in a new SQLite database."""
    with tempfile.TemporaryDirectory() as folder, Database(f"sqlite:///{folder}/bench.db") as database:
        database.upgrade()
        run_id = secrets.token_hex(5)
        with database.session() as session:
            session.add(RunRow(id=run_id, kind="train", name="bench", status="queued", spec={}, simulated=False))
            session.commit()
        claim = claims.claim(database, run_id, "benchmark")
        if claim is None:
            raise SystemExit("the new run could not be claimed")
        journal = SqlJournal(database, claim)
        try:
            yield journal
        finally:
            journal.stop()


async def timed(work: Awaitable[None]) -> tuple[float, float]:
    """Wall seconds and CPU seconds of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    await work
    return time.perf_counter() - wall, time.process_time() - cpu


async def measure(base: str, calls: int, latency_s: float, concurrency: int) -> dict[str, float]:
    """One line of the table."""
    ideal = calls * latency_s / concurrency
    await bare(base, concurrency, concurrency)
    reference, reference_cpu = await timed(bare(base, calls, concurrency))
    memory, memory_cpu = await timed(ours(base, calls, concurrency, MemoryRecord().claim()))
    async with sqlite_journal() as journal:
        sqlite, sqlite_cpu = await timed(ours(base, calls, concurrency, journal))
    return {
        "concurrency": concurrency,
        "ideal_s": round(ideal, 3),
        "efficiency_bare": round(ideal / reference, 3),
        "efficiency_memory": round(ideal / memory, 3),
        "efficiency_sqlite": round(ideal / sqlite, 3),
        "of_bare": round(reference / sqlite, 3),
        "cpu_ms_per_call_bare": round(1000 * reference_cpu / calls, 2),
        "cpu_ms_per_call_memory": round(1000 * memory_cpu / calls, 2),
        "cpu_ms_per_call_sqlite": round(1000 * sqlite_cpu / calls, 2),
    }


def main() -> None:
    """Measure, print a table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[64, 256])
    options = parser.parse_args()
    with mock(options.latency) as base:
        lines = [asyncio.run(measure(base, options.calls, options.latency, c)) for c in options.concurrency]
    machine = {"python": platform.python_version(), "cpus": os.cpu_count(), "machine": platform.machine()}
    machine |= {name: importlib.metadata.version(name) for name in ("aiohttp", "sqlalchemy")}
    result = {"calls": options.calls, "latency_s": options.latency, "machine": machine, "lines": lines}
    target = Path(__file__).parent / "results" / "throughput.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(machine))
    for line in lines:
        print("  ".join(f"{key}={value}" for key, value in line.items()))


if __name__ == "__main__":
    main()
