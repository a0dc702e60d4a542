"""Every service is an ordinary process with a log file; one that dies is started again, and all end when we end."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

TETHER = Path(__file__).with_name("tether.py")
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
HEALTHY_AFTER_S = 60.0
LOG_TAIL_LINES = 15


class CannotStart(Exception):
    """A service cannot be started; the message says why and what to do."""


@dataclass(frozen=True)
class Service:
    """One process to keep running.

    ready: true once it can be used; asked every 50 ms within ready_s seconds. stop_s: seconds between asking it to end and
    ending it. environ: variables beyond ours. optional: the others run without it when it cannot be started.
    """

    name: str
    command: Sequence[str]
    ready: Callable[[], bool]
    ready_s: float = 30.0
    stop_s: float = 10.0
    environ: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False


class Supervisor:
    """Starts services in order, keeps them running, ends them in the opposite order.

    log_dir: gets one log file for each. say: told, in a sentence, what happens.
    """

    def __init__(self, log_dir: Path, say: Callable[[str], None]) -> None:
        self._kept: list[_Kept] = []
        self._log_dir = log_dir
        self._say = say
        log_dir.mkdir(parents=True, exist_ok=True)

    def start(self, service: Service, stop: threading.Event) -> None:
        """Start a service and wait until it is ready, or until stop is set.

        Raises: CannotStart with the end of its log; of an optional one it is said, and it is tried again later.
        """
        kept = _Kept(service, self._log_dir / f"{service.name}.log")
        kept.spawn()
        self._kept.append(kept)
        try:
            self._await(kept, stop)
        except CannotStart as error:
            if not service.optional:
                raise
            self._say(f"{error}\nThe rest runs without it.")

    @staticmethod
    def _await(kept: _Kept, stop: threading.Event) -> None:
        service = kept.service
        deadline = time.monotonic() + service.ready_s
        while not stop.is_set() and not service.ready():
            if kept.status() is not None:
                raise CannotStart(f"{service.name} ended with status {kept.status()} at its start:\n{kept.log_tail()}")
            if time.monotonic() > deadline:
                raise CannotStart(f"{service.name} was not ready within {service.ready_s:g} s:\n{kept.log_tail()}")
            stop.wait(0.05)

    def keep(self, stop: threading.Event) -> None:
        """Start again what dies, until stop is set."""
        while not stop.wait(0.2):
            for kept in self._kept:
                kept.revive(self._say)

    def stop(self) -> None:
        """End every service, newest first; what does not end in time is killed with all its children."""
        for kept in reversed(self._kept):
            kept.stop()
        self._kept.clear()


class _Kept:
    def __init__(self, service: Service, log: Path) -> None:
        self.service = service
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._wait_s = FIRST_WAIT_S
        self._again_at: float | None = None

    def spawn(self) -> None:
        command = [sys.executable, str(TETHER), str(os.getpid()), *self.service.command]
        with self._open_log() as log:
            self._process = subprocess.Popen(  # noqa: S603  one of our own services
                command,
                env={**os.environ, **self.service.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal reaches us alone, and its whole group can be ended
            )
        self._started = time.monotonic()

    def _open_log(self) -> IO[bytes]:
        if self._process is None and self._log.exists():
            self._log.replace(self._log.with_suffix(".log.old"))
        return self._log.open("ab")

    def status(self) -> int | None:
        return self._process.poll() if self._process else None

    def log_tail(self) -> str:
        lines = self._log.read_text("utf-8", "replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n".join([f"  {line}" for line in lines] + [f"  (all of it: {self._log})"])

    def revive(self, say: Callable[[str], None]) -> None:
        now, name = time.monotonic(), self.service.name
        if self._again_at is not None:
            if now >= self._again_at:
                self._again_at = None
                self.spawn()
        elif (status := self.status()) is not None:
            self._end_group(signal.SIGKILL)
            if now - self._started > HEALTHY_AFTER_S:
                self._wait_s = FIRST_WAIT_S
            say(f"{name} ended with status {status}; starting it again in {self._wait_s:g} s (log: {self._log})")
            self._again_at = now + self._wait_s
            self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(self.service.stop_s)
        self._end_group(signal.SIGKILL)
        self._process.wait()

    def _end_group(self, number: signal.Signals) -> None:
        if self._process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


def refuse_used_port(host: str, port: int, advice: str) -> None:
    """Raise CannotStart when somebody listens on the port already. advice: what to do then."""
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise CannotStart(f"port {port} on {host} cannot be used ({error.strerror}): {advice}") from None


def take_folder(folder: Path) -> IO[str]:
    """Lock a data folder for one supervisor; the lock ends with the process. Raises: CannotStart when it is taken."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = (folder / "up.lock").open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.seek(0)
        holder = handle.read().strip() or "unknown"
        handle.close()
        raise CannotStart(
            f"whetstone already runs in {folder.parent} (process {holder}): use that one, end it, "
            "or choose another folder with WHETSTONE_DATA_DIR"
        ) from None
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


def healthy(host: str, port: int, path: str = "/healthz") -> bool:
    """Whether a web server answers there, and not with a fault of its own."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
