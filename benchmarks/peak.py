"""The most memory that this process held, from a moment on."""

from __future__ import annotations

import resource
import sys
from contextlib import suppress
from pathlib import Path

_RESET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def begin() -> float:
    """Forget earlier peaks where the system can (Linux); returns MB held now, or the peak until now."""
    with suppress(OSError):
        _RESET.write_text("5")
    return peak_mb()


def peak_mb() -> float:
    """Peak of the resident memory since ``begin``, in MB."""
    with suppress(OSError):
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 1024
