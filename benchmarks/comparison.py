"""What others need for the same calls on the same mock, each in its own environment outside of the project.

The figure is the mock's own: from the first request that arrived to the last answer, so that no start-up counts; and how many
calls were made for how many cases. An environment that cannot be made is a line that says so.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import venv
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import Cell, Table
from benchmarks.setting import ROOT, Load, Provider, drive, provider, queued_run, sqlite

LATENCY_S, CONCURRENCY = 0.2, 64
INSTALLED_WITHIN_S, ENDS_WITHIN_S = 600, 240
CACHE = Path(os.environ.get("WHETSTONE_BENCH_CACHE", Path.home() / ".cache" / "whetstone-bench"))

QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PROMPTFOO_DISABLE_UPDATE": "1",
    "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
    "OPENAI_API_KEY": "unused",
}


class Missing(Exception):
    """A peer's environment cannot be made; the message says why."""


@dataclass(frozen=True)
class Peer:
    """Another tool. packages: pinned. script: of benchmarks/peers; "" for the one that comes from npm."""

    title: str
    name: str
    packages: Sequence[str]
    script: str = ""


PEERS = (
    Peer("DSPy 3.4.1, Evaluate", "dspy", ("dspy==3.4.1",), "dspy_evaluate.py"),
    Peer("promptfoo 0.121.20, eval", "promptfoo", ("promptfoo@0.121.20",)),
    Peer("Inspect AI 0.3.285, eval", "inspect", ("inspect_ai==0.3.285", "openai==3.57.0"), "inspect_eval.py"),
    Peer("gepa 0.1.4, optimize", "gepa", ("gepa==0.1.4", "litellm==1.110.2"), "gepa_optimize.py"),
)


def measure(quick: bool) -> list[Table]:
    """The tables of this measurement."""
    calls = 100 if quick else 1000
    ideal_s = calls * LATENCY_S / CONCURRENCY
    with provider(LATENCY_S) as mock:
        rows = [
            [title, *_ours(mock, lane, calls)] for lane, title in (("bare", "aiohttp alone"), ("openai", "Whetstone"))
        ]
        rows += [[peer.title, *_theirs(mock, peer, calls, install=not quick)] for peer in PEERS]
    return [
        Table(
            f"The same {calls:,} calls of {1000 * LATENCY_S:g} ms, {CONCURRENCY} under way",
            ("", "wall / ideal", "calls made", "most under way", ""),
            rows,
            [
                f"Ideal: {ideal_s:.2f} s. Each keeps its own record: Whetstone its journal in SQLite, promptfoo its database, "
                "Inspect AI its log; DSPy and gepa keep none here. Caches are off."
            ],
        )
    ]


def _ours(mock: Provider, lane: str, calls: int) -> list[Cell]:
    with sqlite() as url:
        load = Load(lane, mock.base, calls, CONCURRENCY, "" if lane == "bare" else url, queued_run(url))
        mock.reset()
        took = drive([load])
        books = mock.books()
    return [took.wall_s / _ideal(calls, mock), books["calls"] - 1, books["peak"], ""]


def _ideal(calls: int, mock: Provider) -> float:
    return calls * mock.latency_s / CONCURRENCY


def _theirs(mock: Provider, peer: Peer, calls: int, *, install: bool) -> list[Cell]:
    try:
        program = _environment(peer, install=install)
        mock.reset()
        with tempfile.TemporaryDirectory(prefix="whetstone-bench-") as folder:
            _run(_command(peer, program, mock, calls, Path(folder)), Path(folder))
    except Missing as missing:
        return [None, None, None, str(missing)]
    books = mock.books()
    return [books["wall_s"] / _ideal(calls, mock), books["calls"], books["peak"], ""]


def _environment(peer: Peer, *, install: bool) -> Path:
    """The program that runs the peer, installed when it is not there yet. Raises: Missing."""
    folder, mark = CACHE / peer.name, json.dumps(list(peer.packages))
    made = folder / "made.json"
    program = folder / "bin" / "python" if peer.script else folder / "node_modules" / ".bin" / "promptfoo"
    if made.exists() and made.read_text() == mark and program.exists():
        return program
    if not install:
        raise Missing("not installed; the full measurement installs it")
    if not peer.script and shutil.which("npm") is None:
        raise Missing("npm is not installed")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if peer.script:
        venv.create(folder, with_pip=True)
        command = [str(program), "-m", "pip", "install", "--quiet", *peer.packages]
    else:
        command = ["npm", "install", "--no-audit", "--no-fund", "--silent", *peer.packages]
    _run(command, folder, INSTALLED_WITHIN_S)
    made.write_text(mark)
    return program


def _command(peer: Peer, program: Path, mock: Provider, calls: int, folder: Path) -> list[str]:
    if peer.script:
        return [str(program), str(ROOT / "benchmarks" / "peers" / peer.script), mock.base, str(calls), str(CONCURRENCY)]
    config = folder / "promptfooconfig.json"
    config.write_text(json.dumps(_promptfoo(mock, calls)))
    switches = ["--no-cache", "--no-table", "--no-progress-bar", "--max-concurrency", str(CONCURRENCY)]
    return [str(program), "eval", "--config", str(config), *switches]


def _promptfoo(mock: Provider, calls: int) -> dict[str, object]:
    model = {"id": "openai:chat:mock", "config": {"apiBaseUrl": mock.base, "apiKey": "unused", "max_tokens": 50}}
    tests = [
        {"vars": {"question": f"code {n}"}, "assert": [{"type": "equals", "value": str(n)}]}
        for n in range(1, calls + 1)
    ]
    return {"prompts": ["Repeat the code. {{question}}"], "providers": [model], "tests": tests}


def _run(command: Sequence[str], folder: Path, most_s: float = ENDS_WITHIN_S) -> None:
    """Run to the end, with everything it started. Raises: Missing with its last words."""
    environ = {**os.environ, **QUIET, "PROMPTFOO_CONFIG_DIR": str(folder / "promptfoo")}
    with (folder / "said.log").open("w+") as log:
        running = subprocess.Popen(
            command, cwd=folder, env=environ, stdin=-3, stdout=log, stderr=log, start_new_session=True
        )
        try:
            status = running.wait(most_s)
        except subprocess.TimeoutExpired:
            raise Missing(f"it did not end within {most_s:g} s") from None
        finally:
            _end_group(running.pid)
            running.wait()
        # promptfoo ends with 100 when answers are wrong, and some of these are meant to be
        if status not in (0, 100):
            log.seek(0)
            words = log.read().strip().splitlines()
            raise Missing(f"it ended with status {status}: {words[-1][:160] if words else 'no word'}")


def _end_group(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
