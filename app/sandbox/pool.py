"""Our side of the sandbox: a few processes that run a person's code, started when needed and ended when they misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from app.ports.llm import Json
from app.ports.scoring import CodeError

INSIDE = Path(__file__).with_name("inside.py")
SLACK_S = 15.0
"""Seconds beyond the limit after which a process that says nothing is given up: it has to start first."""
ENDING_S = 2.0
"""Seconds that a process gets to end what it runs."""


@dataclass(frozen=True)
class Limits:
    """timeout_s: wall and processor time of one call. memory_mb: address space. processes: at the same time."""

    timeout_s: float = 5.0
    memory_mb: int = 512
    processes: int = 2


class ProcessSandbox:
    """Implements app.ports.scoring.Sandbox. Making one is cheap; processes start with the first call."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._threads = ThreadPoolExecutor(limits.processes, thread_name_prefix="sandbox")
        self._idle: queue.SimpleQueue[_Process] = queue.SimpleQueue()
        self._living: set[_Process] = set()
        self._closed = False

    def check(self, source: str) -> None:
        """See app.ports.scoring.Sandbox."""
        self._call(source, None)

    async def run(self, source: str, arguments: Sequence[str]) -> Json:
        """See app.ports.scoring.Sandbox."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._call, source, list(arguments))

    def close(self) -> None:
        """See app.ports.scoring.Sandbox. A call under way fails."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in tuple(self._living):
            self._end(process)

    def _call(self, source: str, arguments: list[str] | None) -> Json:
        try:
            process = self._idle.get_nowait()
        except queue.Empty:
            process = _Process(self._limits)
            self._living.add(process)
        try:
            reply = process.ask({"source": source, "arguments": arguments}, self._limits.timeout_s + SLACK_S)
        except (OSError, ValueError, EOFError):
            self._end(process)
            raise CodeError("the process that ran it ended unexpectedly") from None
        self._idle.put(process)
        if self._closed:
            self._end(process)
        if "error" in reply:
            raise CodeError(str(reply["error"]))
        return reply["value"]

    def _end(self, process: _Process) -> None:
        process.end()
        self._living.discard(process)


class _Process:
    """One process that runs code, with a folder of its own and an environment without anything of ours."""

    def __init__(self, limits: Limits) -> None:
        self._folder = tempfile.mkdtemp(prefix="whetstone-code-")
        environ = {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
        environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        # -P and -s: as isolated as -I, which would ignore the hash seed too; scores must not depend on the order of a set.
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", "-s", str(INSIDE), str(limits.timeout_s), str(limits.memory_mb)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
            env=environ, cwd=self._folder, start_new_session=True,
        )  # fmt: skip

    def ask(self, request: Json, within_s: float) -> Json:
        """The reply to a request. Raises: OSError, ValueError or EOFError when there is none."""
        deadline = time.monotonic() + within_s
        sending, receiving = self._process.stdin, self._process.stdout
        if sending is None or receiving is None:
            raise EOFError
        data = memoryview(json.dumps(request).encode() + b"\n")
        while data:
            data = data[os.write(sending.fileno(), data) :]
        reply = b""
        while not reply.endswith(b"\n"):
            ready, _, _ = select.select([receiving], [], [], max(0.0, deadline - time.monotonic()))
            part = os.read(receiving.fileno(), 65_536) if ready else b""
            if not part:
                raise EOFError
            reply += part
        return json.loads(reply)

    def end(self) -> None:
        """End it and what it runs, and remove its folder."""
        with contextlib.suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        try:
            self._process.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        shutil.rmtree(self._folder, ignore_errors=True)
