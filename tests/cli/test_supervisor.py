from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli.supervisor import (
    TETHER,
    CannotStart,
    Service,
    Supervisor,
    healthy,
    refuse_used_port,
    take_folder,
)
from tests.jobs.conftest import processes_of

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


def wait(probe: Callable[[], object], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not probe():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def service(name: str, code: str, file: Path, **more: object) -> Service:
    """A service that is ready once its file exists."""
    return Service(name, [sys.executable, "-c", code, str(file)], file.exists, **more)  # type: ignore[arg-type]


WRITES_ITS_ID = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(600)"


def ids(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()]


def test_an_optional_service_that_cannot_start_keeps_nobody_from_running(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(tmp_path / "run", said.append)
    broken = service(
        "model", "import sys; print('no such instruction'); sys.exit(4)", tmp_path / "never", optional=True
    )
    supervisor.start(broken, threading.Event())
    supervisor.stop()
    assert "model ended with status 4" in said[0]
    assert "no such instruction" in said[0]
    assert said[0].endswith("The rest runs without it.")


def test_a_service_that_dies_is_started_again_and_that_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor, stop, file = Supervisor(tmp_path / "run", said.append), threading.Event(), tmp_path / "ids"
    supervisor.start(service("sleeper", WRITES_ITS_ID, file), stop)
    keeper = threading.Thread(target=supervisor.keep, args=(stop,))
    keeper.start()
    os.kill(ids(file)[0], signal.SIGKILL)
    wait(lambda: len(ids(file)) == 2)
    stop.set()
    keeper.join()
    supervisor.stop()
    assert said == [f"sleeper ended with status -9; starting it again in 1 s (log: {tmp_path}/run/sleeper.log)"]
    assert not any(processes_of(number) for number in ids(file))


def test_a_service_that_ends_at_its_start_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, print)
    with pytest.raises(CannotStart, match=r"broken ended with status 3 at its start:\n  no such thing"):
        supervisor.start(
            service("broken", "import sys; print('no such thing'); sys.exit(3)", tmp_path / "never"), threading.Event()
        )
    supervisor.stop()


def test_a_service_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, print)
    with pytest.raises(CannotStart, match=r"slow was not ready within 0.3 s"):
        supervisor.start(Service("slow", SLEEPER, lambda: False, ready_s=0.3), threading.Event())
    supervisor.stop()


def test_what_does_not_end_when_asked_is_killed_with_its_children(tmp_path: Path) -> None:
    code = (
        "import os, signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "subprocess.Popen(['sleep', '600']); open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
    )
    supervisor, file = Supervisor(tmp_path, print), tmp_path / "id"
    supervisor.start(service("deaf", code, file, stop_s=0.3), threading.Event())
    (group,) = ids(file)
    assert len(processes_of(group)) == 2
    supervisor.stop()
    assert processes_of(group) == []


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="only Linux tells a process that its parent was killed")
def test_a_service_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    code = "import os, sys, subprocess; print(subprocess.Popen([sys.executable, *sys.argv[1:2], str(os.getpid()),"
    code += " *sys.argv[2:]]).pid, flush=True); import time; time.sleep(600)"
    parent = subprocess.Popen([sys.executable, "-c", code, str(TETHER), *SLEEPER], stdout=subprocess.PIPE)
    assert parent.stdout
    child = int(parent.stdout.readline())
    assert parent.stdout.readline() == b"up\n"
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait(lambda: not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2])


def test_the_log_of_the_start_before_is_kept(tmp_path: Path) -> None:
    for text in ("first", "second"):
        supervisor, file = Supervisor(tmp_path, print), tmp_path / text
        code = f"import sys, time; print('{text}', flush=True); open(sys.argv[1], 'w').close(); time.sleep(600)"
        supervisor.start(service("web", code, file), threading.Event())
        supervisor.stop()
    assert (tmp_path / "web.log").read_text() == "second\n"
    assert (tmp_path / "web.log.old").read_text() == "first\n"


def test_a_used_port_is_named_with_what_to_do() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(
            CannotStart, match=rf"port {port} on 127.0.0.1 cannot be used \(Address already in use\): go"
        ):
            refuse_used_port("127.0.0.1", port, "go elsewhere")
    refuse_used_port("127.0.0.1", port, "go elsewhere")


def test_a_folder_serves_one_at_a_time(tmp_path: Path) -> None:
    taken = pytest.raises(CannotStart, match=rf"already runs in {tmp_path} \(process {os.getpid()}\)")
    with take_folder(tmp_path / "run"), taken:
        take_folder(tmp_path / "run")
    take_folder(tmp_path / "run").close()


def test_nobody_there_is_not_healthy() -> None:
    assert not healthy("127.0.0.1", 1)
