"""Turns under a rate limit, by reservation: each one is 60/rpm seconds after the one before, but for a small burst.

The generic cell rate algorithm (ITU-T I.371): a lane keeps the moment at which it would be idle again; a turn moves that
moment on by one interval and is due as soon as it is no more than the burst's worth of intervals ahead.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from app.ports.pace import Lane


def interval_s(rpm: float) -> float:
    """Seconds between two sendings."""
    return 60.0 / rpm


def tolerance_s(rpm: float) -> float:
    """How far ahead of the even spacing a burst may run: as many sendings at once as fit into one second, at least one."""
    return (max(1, int(rpm / 60)) - 1) * interval_s(rpm)


class LocalPace:
    """Implements app.ports.pace.Pace within one process. clock: seconds, never jumping back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._idle_at: dict[str, float] = {}

    async def turn(self, lane: Lane) -> float:
        """See the port."""
        if lane.rpm is None:
            return 0.0
        now = self._clock()
        idle_at = max(now, self._idle_at.get(lane.name, now))
        self._idle_at[lane.name] = idle_at + interval_s(lane.rpm)
        return max(0.0, idle_at - tolerance_s(lane.rpm) - now)

    async def aclose(self) -> None:
        """See the port."""
