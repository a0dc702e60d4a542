"""A worker with time to spare looks for runs that nobody drives, and sends hints for as many as it can take."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

logger = logging.getLogger(__name__)


class Sweep:
    """Finds runs that need a worker: hints that Redis lost, workers that died.

    abandoned: ids of the runs that need work. free: how many more runs this worker can drive now; it only hints at that many,
    so that hints never pile up. enqueue: sends a hint, False when the broker is away. beat: called on every round. clear_up:
    called last; goes on with removals that others began.
    """

    def __init__(
        self,
        abandoned: Callable[[], Sequence[str]],
        free: Callable[[], int],
        enqueue: Callable[[str], bool],
        beat: Callable[[], None],
        clear_up: Callable[[], None],
    ) -> None:
        self._abandoned = abandoned
        self._free = free
        self._enqueue = enqueue
        self._beat = beat
        self._clear_up = clear_up

    def once(self) -> list[str]:
        """Look once. Returns the runs that were hinted at."""
        self._beat()
        free = self._free()
        wanted = list(self._abandoned())[:free] if free > 0 else []
        hinted = [run_id for run_id in wanted if self._enqueue(run_id)]
        self._clear_up()
        return hinted

    def forever(self, every_s: float, stop: threading.Event) -> None:
        """Look every so many seconds until stop is set. A failure is logged; the next round may do better."""
        while not stop.wait(every_s):
            try:
                for run_id in self.once():
                    logger.info("run %s had no worker; sent a hint", run_id)
            except Exception:  # the door of a thread: whatever happened, the next round must come
                logger.warning("the sweep failed; trying again in %g s", every_s, exc_info=True)
