"""Run a command that ends when the process that started it ends, however that happens: tether.py PARENT COMMAND..."""

import ctypes
import os
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> int:
    """Become the command (Linux), or watch over it (elsewhere). parent: process id of who started us."""
    if os.uname().sysname == "Linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() == parent:  # else it ended before we had asked to be told
            os.execv(command[0], command)  # noqa: S606  one of our own services
        return 1
    return _watch(parent, command)


def _watch(parent: int, command: list[str]) -> int:
    child = subprocess.Popen(command)  # noqa: S603  one of our own services
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: child.send_signal(number))
    while (status := child.poll()) is None:
        if os.getppid() != parent:
            child.terminate()
            return child.wait()
        time.sleep(0.5)
    return status


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
