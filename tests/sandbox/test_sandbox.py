"""A person's code in its own process: what it may do, what it may not, and what is left of it afterwards."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import ROOT
from app.ports.llm import Json
from app.ports.scoring import CodeError
from app.sandbox import Limits, ProcessSandbox

ARGUMENTS = ("the input", "the reference", "the answer")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="namespaces and Landlock are of Linux")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[ProcessSandbox]:
    """Enough time for a busy machine."""
    sandbox = ProcessSandbox(Limits(timeout_s=30, memory_mb=256))
    yield sandbox
    sandbox.close()


def landlocked(version: int = 1) -> bool:
    """Whether this kernel has Landlock."""
    import ctypes

    return int(ctypes.CDLL(None).syscall(444, None, 0, 1)) >= version


def body(lines: str) -> str:
    return "import os, sys, time\ndef score(input, reference, response):\n" + "".join(
        f"    {line}\n" for line in lines.splitlines()
    )


async def run(sandbox: ProcessSandbox, lines: str) -> Json:
    return await sandbox.run(body(lines), ARGUMENTS)


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ("return 0.5", 0.5),
        ("return [input, reference, response]", list(ARGUMENTS)),
        (
            "return {'score': 1, 'feedback': 'é\\ud800'.encode('utf-8', 'replace').decode()}",
            {"score": 1, "feedback": "é?"},
        ),
        ("print('loud'); sys.stderr.write('louder'); return 1", 1),
        ("import numpy\nreturn numpy.float32(0.25)", 0.25),
        ("return sys.stdin.read()", ""),
        ("return sorted(os.environ)[:1] + [os.environ.get('WHETSTONE_CANARY', 'unseen')]", ["LC_ALL", "unseen"]),
        ("open('x', 'w').write('kept'); return open('x').read() + str(os.listdir('.'))", "kept['x']"),
        ("return os.listdir('.')", []),
    ],
)
async def test_what_it_returns_comes_back(
    sandbox: ProcessSandbox, monkeypatch: pytest.MonkeyPatch, lines: str, value: Json
) -> None:
    monkeypatch.setenv("WHETSTONE_CANARY", "secret")
    assert await run(sandbox, lines) == value


async def test_no_call_sees_another_one(sandbox: ProcessSandbox) -> None:
    source = "seen = []\ndef score(input, reference, response):\n    seen.append(1)\n    return len(seen)\n"
    assert await asyncio.gather(*(sandbox.run(source, ARGUMENTS) for _ in range(4))) == [1, 1, 1, 1]


async def test_sets_have_one_order(sandbox: ProcessSandbox) -> None:
    lines = "return list({'one', 'two', 'three', 'four', 'five'})"
    other = ProcessSandbox(Limits(timeout_s=30))
    assert await run(sandbox, lines) == await run(other, lines)
    other.close()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("x = 1\nraise ValueError('no idea')", "line 4: ValueError: no idea"),
        ("return {}['a']", "line 3: KeyError: 'a'"),
        ("return float('nan')", "it returned nan"),
        ("return {'score': float('inf')}", "it returned inf"),
        ("return object()", "it returned object"),
        ("return 'x' * 1000000", "it said too much"),
        ("sys.exit(3)", "SystemExit: 3"),
        ("os._exit(3)", "ended its process"),
        ("os.kill(os.getpid(), 11)", "SIGSEGV"),
        ("return len(bytearray(10**9))", "more memory"),
        ("def f(n): return f(n + 1)\nreturn f(0)", "RecursionError"),
        ("open('big', 'wb').write(b'x' * 10**7)", "File too large"),
        ("return [open(os.devnull) for _ in range(200)]", "Too many open files"),
    ],
)
async def test_what_goes_wrong_is_told(sandbox: ProcessSandbox, lines: str, says: str) -> None:
    with pytest.raises(CodeError) as error:
        await run(sandbox, lines)
    assert says in str(error.value)
    assert await run(sandbox, "return 1") == 1


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def score(:", "line 1: it is not valid Python: invalid syntax"),
        ("(" * 5000, "it is not valid Python"),
        ("x=" + "-" * 100_000 + "1", "it is not valid Python"),
        ("\0", "it is not valid Python"),
        ("x = 1", "it has no function score"),
        ("score = 1", "it has no function score"),
        ("import no_such_module", "line 1: ModuleNotFoundError"),
        ("import app.core", "line 1: (ModuleNotFound|Permission)Error"),
    ],
)
def test_a_file_that_cannot_work_is_refused(sandbox: ProcessSandbox, source: str, says: str) -> None:
    with pytest.raises(CodeError, match=says):
        sandbox.check(source)


def test_a_good_file_passes(sandbox: ProcessSandbox) -> None:
    sandbox.check("def score(input, reference, response): return 1")


@LINUX
@pytest.mark.parametrize(
    "lines",
    [
        f"return open({str(ROOT / 'config.yaml')!r}).read()",
        "return open('/etc/passwd').read()",
        "return open('/proc/self/environ').read()",
        "return open(f'/proc/{os.getppid()}/environ').read()",
        "open('/tmp/whetstone-was-here', 'w')",
        "return os.listdir('/')",
        "import subprocess\nreturn subprocess.run(['/bin/ls']).returncode",
    ],
)
async def test_files_of_others_are_out_of_reach(sandbox: ProcessSandbox, lines: str) -> None:
    if not landlocked():
        pytest.skip("this kernel has no Landlock")
    with pytest.raises(CodeError, match=r"Permission|not permitted"):
        await run(sandbox, lines)
    assert not Path("/tmp/whetstone-was-here").exists()


@LINUX
async def test_other_processes_are_out_of_reach(sandbox: ProcessSandbox) -> None:
    if not landlocked(6):
        pytest.skip("this kernel's Landlock knows no signals")
    with pytest.raises(CodeError, match="not permitted"):
        await run(sandbox, "os.kill(os.getppid(), 9)")
    with pytest.raises(CodeError, match="not permitted"):
        await run(sandbox, f"os.kill({os.getpid()}, 9)")


@LINUX
async def test_there_is_no_network(sandbox: ProcessSandbox, tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(CodeError, match=r"OSError|Permission|refused|unreachable"):
            await run(sandbox, f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 5)")


def living(mark: str) -> list[str]:
    """Processes whose command line or name holds the mark."""
    found = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True).stdout
    return [line for line in found.splitlines() if mark in line and "ps -eo" not in line]


@LINUX
async def test_what_takes_too_long_is_ended_with_its_children() -> None:
    sandbox = ProcessSandbox(Limits(timeout_s=1))
    name = f"orphan{os.getpid()}"
    rename = f"import ctypes; ctypes.CDLL(None).prctl(15, b'{name}'[:15], 0, 0, 0)"
    lines = f"{rename}\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(600)\ntime.sleep(600)"
    if os.getuid():
        lines = f"{rename}\ntime.sleep(600)"  # only root may fork here
    before = time.monotonic()
    with pytest.raises(CodeError, match="longer than 1 s"):
        await run(sandbox, lines)
    assert time.monotonic() - before < 60
    names = subprocess.run(["ps", "-eo", "comm"], capture_output=True, text=True).stdout
    assert name[:15] not in names
    with pytest.raises(CodeError, match=r"longer than 1 s|processor time"):
        await run(sandbox, "while True: pass")
    sandbox.close()


async def test_closing_ends_processes_and_removes_folders() -> None:
    sandbox = ProcessSandbox(Limits(timeout_s=600))
    folder = Path(await run(sandbox, "return os.getcwd()")).parent
    assert folder.is_dir()
    assert living(str(folder)) == []
    endless = asyncio.ensure_future(run(sandbox, "time.sleep(600)"))
    await asyncio.sleep(0.5)
    sandbox.close()
    with pytest.raises(CodeError, match="ended"):
        await asyncio.wait_for(endless, 30)
    assert not folder.exists()
