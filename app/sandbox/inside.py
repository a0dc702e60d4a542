"""The program that runs a person's code, one fresh process for each call. It imports nothing of ours, and is run by its path.

It reads a JSON object per line, {"source": text, "arguments": [text, ...] or null}, and answers each with {"value": ...} or
{"error": "..."}. The first process never runs the person's code: it forks for each call, limits the child, and afterwards ends
whatever the child has left behind. It ends itself when its input is closed, in the middle of a call too.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from functools import lru_cache
from types import CodeType
from typing import Any, NoReturn

NAME = "scorer.py"
LONGEST_REPLY = 200_000
MB = 1024 * 1024
FILE_MB = 4
OPEN_FILES = 64
STDIN = 0

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 36, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FIRST_RIGHTS = (1 << 13) - 1
_LATER_RIGHTS = {2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
"""Rights to files by the version of Landlock that brought them: moving between folders, truncating, device control."""
_NETWORK_SINCE, _TCP_BIND_AND_CONNECT = 4, 3
_SCOPE_SINCE, _SCOPE_SOCKETS_AND_SIGNALS = 6, 3
_READABLE = (
    sys.prefix, sys.base_prefix, "/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache",
    "/dev/null", "/dev/urandom",
)  # fmt: skip
"""What Python and its libraries need to read; nothing of the product's data, and no /proc with the environment of others."""


def main() -> None:
    """Answer line after line."""
    timeout_s, memory_mb = float(sys.argv[1]), int(sys.argv[2])
    replies = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (1, 2):
        os.dup2(nothing, number)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        libc.unshare(
            _CLONE_NEWUSER | _CLONE_NEWNET
        )  # no network; where this is not allowed, Landlock still refuses TCP
    for line in iter(_line, b""):
        request = json.loads(line)
        reply = answer(request["source"], request["arguments"], timeout_s, memory_mb)
        _write(replies, reply.encode() + b"\n")


def _line() -> bytes:
    """The next line of the input, read without a buffer of Python's, so that select tells the truth; b"" at its end."""
    parts = []
    while part := os.read(STDIN, 65_536):
        parts.append(part)
        if part.endswith(b"\n"):
            return b"".join(parts)
    return b""


def _write(number: int, data: bytes) -> None:
    while data:
        data = data[os.write(number, data) :]


def answer(source: str, arguments: list[str] | None, timeout_s: float, memory_mb: int) -> str:
    """One call in a process and a folder of its own, as the reply to it."""
    try:
        code = compiled(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        return json.dumps({"error": _syntax(error)})
    folder = tempfile.mkdtemp(dir=os.getcwd())
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        _child(lambda: confine(folder, timeout_s, memory_mb), code, arguments, write_end)
    os.close(write_end)
    try:
        said = _reply(read_end, time.monotonic() + timeout_s)
        status = _end(child)
    finally:
        os.close(read_end)
        shutil.rmtree(folder, ignore_errors=True)
    if said is None:
        return json.dumps({"error": f"it took longer than {timeout_s:g} s"})
    return said or json.dumps({"error": _ended(status, memory_mb)})


@lru_cache(maxsize=4)
def compiled(source: str) -> CodeType:
    """The code of a file. Raises: SyntaxError, and what else the compiler finds."""
    return compile(source, NAME, "exec", dont_inherit=True)


def _syntax(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"line {error.lineno or 1}: it is not valid Python: {error.msg}"
    return f"it is not valid Python: {str(error) or type(error).__name__}"


def _reply(read_end: int, deadline: float) -> str | None:
    """What the child wrote, "" when it ended without a word, None when it took too long. Ends us when nobody waits any more."""
    data = b""
    while len(data) < LONGEST_REPLY and not data.endswith(b"\n"):
        ready, _, _ = select.select([read_end, STDIN], [], [], max(0.0, deadline - time.monotonic()))
        if STDIN in ready:
            _end(0)
            os._exit(1)
        if not ready:
            return None
        part = os.read(read_end, 65_536)
        if not part:
            return ""
        data += part
    return (
        data.decode("utf-8", "replace").strip() if data.endswith(b"\n") else json.dumps({"error": "it said too much"})
    )


def _end(child: int) -> int:
    """End the child and everything that it started. Returns the child's wait status."""
    status = 0
    if child:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    while True:
        for one in {child, *_children()} - {0}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        try:
            ended, how = os.waitpid(-1, 0)
        except ChildProcessError:
            return status
        if ended == child:
            status, child = how, 0


def _children() -> list[int]:
    """Our children, orphans of the child among them (on Linux we adopt these)."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [int(one) for one in file.read().split()]
    except OSError:
        return []


def _ended(status: int, memory_mb: int) -> str:
    if not os.WIFSIGNALED(status):
        return "it ended its process instead of returning"
    number = os.WTERMSIG(status)
    if number in (signal.SIGXCPU, signal.SIGKILL):
        return "it used up its processor time"
    return f"its process crashed with {signal.Signals(number).name}; it may use {memory_mb} MB"


def _child(confined: Callable[[], None], code: CodeType, arguments: list[str] | None, write_end: int) -> NoReturn:
    """Run the code and write what it says. Whatever it raises is told; this process ends here."""
    try:
        os.setsid()
        confined()
        text = json.dumps({"value": _value(code, arguments)}, allow_nan=False, default=_plain)
    except BaseException as error:  # noqa: BLE001 - the door of the person's code
        text = json.dumps({"error": _told(error)})
    with contextlib.suppress(OSError):
        _write(write_end, text.encode() + b"\n")
    os._exit(0)


def _value(code: CodeType, arguments: list[str] | None) -> Any:
    names: dict[str, Any] = {"__name__": "scorer", "__file__": NAME}
    exec(code, names)  # noqa: S102 - this is what this process is for
    function = names.get("score")
    if not callable(function):
        raise LookupError("it has no function score(input, reference, response)")
    if arguments is None:
        return None
    value = function(*arguments)
    given = value.get("score") if isinstance(value, dict) else value
    if isinstance(given, float) and not math.isfinite(given):
        raise LookupError(f"it returned {given}")
    return value


def _plain(value: object) -> float:
    """Numbers of other libraries as Python's own."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise LookupError(f"it returned {type(value).__name__}, which is no number, text, list or dict") from None


def _told(error: BaseException) -> str:
    """What happened, with the last line of the person's file that was reached."""
    if isinstance(error, LookupError) and not isinstance(error, KeyError | IndexError):
        return str(error)[:500]
    if isinstance(error, MemoryError):
        return "it needed more memory than it may use"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == NAME]
    where = f"line {lines[-1]}: " if lines else ""
    return f"{where}{type(error).__name__}: {error}"[:500]


def confine(folder: str, timeout_s: float, memory_mb: int) -> None:
    """Take away from this process what a scorer does not need, as far as the system can."""
    os.chdir(folder)
    os.environ["TMPDIR"] = folder
    os.dup2(os.open(os.devnull, os.O_RDONLY), STDIN)
    seconds = math.ceil(timeout_s) + 1
    for what, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory_mb * MB),
        (resource.RLIMIT_FSIZE, FILE_MB * MB),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _landlock(libc, folder)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _landlock(libc: ctypes.CDLL, folder: str) -> None:
    """Write nothing outside of the folder, read Python's own files alone, send no signal outwards. Older kernels know less."""
    version = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return
    rights = _FIRST_RIGHTS | sum(bit for since, bit in _LATER_RIGHTS.items() if version >= since)
    asked_for = [rights]
    if version >= _NETWORK_SINCE:
        asked_for.append(_TCP_BIND_AND_CONNECT)
    if version >= _SCOPE_SINCE:
        asked_for.append(_SCOPE_SOCKETS_AND_SIGNALS)
    asked = (ctypes.c_uint64 * len(asked_for))(*asked_for)
    rules = libc.syscall(_CREATE_RULESET, ctypes.byref(asked), ctypes.sizeof(asked), 0)
    for path, allowed in [(folder, rights)] + [(path, _READ_FILE | _READ_DIR) for path in _READABLE]:
        _allow(libc, rules, path, allowed)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.syscall(_RESTRICT_SELF, rules, 0):
        raise OSError(ctypes.get_errno(), "files could not be locked")
    os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, path: str, allowed: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not on this system
    if not os.path.isdir(path):
        allowed &= _READ_FILE
    rule = allowed.to_bytes(8, sys.byteorder) + opened.to_bytes(4, sys.byteorder)
    libc.syscall(_ADD_RULE, rules, 1, rule, 0)
    os.close(opened)


if __name__ == "__main__":
    main()
