"""The real thing: ``whetstone up`` and ``demo`` as processes, on ports of their own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from app.config import ROOT
from tests.jobs.conftest import processes_of
from tests.servers import free_port

pytestmark = pytest.mark.slow


def environment(folder: Path, **changes: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WHETSTONE_") and key != "REDIS_URL"}
    return {
        **kept,
        "WHETSTONE_DATA_DIR": str(folder / "data"),
        "WHETSTONE_PORT": str(free_port()),
        "WHETSTONE_REDIS_PORT": str(free_port()),
        **changes,
    }


@contextmanager
def whetstone(environ: dict[str, str], *words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "app.cli", *words]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.communicate()


def wait_for_line(process: subprocess.Popen[str], text: str) -> str:
    assert process.stderr
    seen = ""
    for line in process.stderr:
        seen += line
        if text in line:
            return line
    raise AssertionError(f"{text!r} was never said:\n{seen}")


def children(parent: int) -> list[int]:
    """The processes that it started, and their children (each service is a group of its own)."""
    rows = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    direct = [int(pid) for pid, ppid in (line.split() for line in rows.splitlines()) if int(ppid) == parent]
    return [pid for group in direct for pid in processes_of(group)]


def living(pids: list[int]) -> list[int]:
    rows = subprocess.run(["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=True).stdout
    alive = {int(pid) for pid, stat in (line.split() for line in rows.splitlines()) if not stat.startswith("Z")}
    return [pid for pid in pids if pid in alive]


def gone_within(pids: list[int], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while living(pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not living(pids)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end_and_then_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals
) -> None:
    environ = environment(tmp_path)
    for _ in range(2):  # the second start finds what the first one left
        with whetstone(environ, "up") as process:
            wait_for_line(process, "Whetstone serves")
            with urllib.request.urlopen(f"http://127.0.0.1:{environ['WHETSTONE_PORT']}/healthz") as answer:
                assert json.load(answer) == {"status": "ok"}
            started = children(process.pid)
            assert len(started) >= 3
            process.send_signal(number)
            assert process.wait(20) == 0
            assert living(started) == []


def test_its_services_end_even_when_it_is_killed(tmp_path: Path) -> None:
    if os.uname().sysname != "Linux":
        pytest.skip("only Linux tells a process that its parent was killed")
    with whetstone(environment(tmp_path), "up") as process:
        wait_for_line(process, "Whetstone serves")
        started = children(process.pid)
        process.kill()
        assert gone_within(started, 15)


def test_a_used_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with whetstone(environment(tmp_path, WHETSTONE_PORT=str(port)), "up") as process:
            _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert said.startswith(f"error: port {port} on 127.0.0.1 cannot be used")
    assert f"WHETSTONE_PORT={port + 1}" in said


def test_a_redis_that_is_not_there_is_said(tmp_path: Path) -> None:
    with whetstone(environment(tmp_path, REDIS_URL="redis://127.0.0.1:1/0"), "up") as process:
        _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "redis_url does not answer" in said


def test_the_demo_trains_and_ends_with_the_run(tmp_path: Path, redis_url: str) -> None:
    with whetstone(environment(tmp_path, REDIS_URL=redis_url), "demo", "--once", "--json") as process:
        printed, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    result = json.loads(printed)
    assert result["status"] == "done"
    assert result["simulated"] is True
    assert result["verdict"] in ("ship", "keep", "indecisive")
    assert f"/runs/{result['run']}" in said
    assert "simulated" in said
