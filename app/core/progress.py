"""What watchers are told while a run is under way."""

from __future__ import annotations

import time

from app.core.budget import Budget
from app.ports.journal import Journal, Sample

PROGRESS_S = 0.25
"""Seconds between two progress messages at least."""


class Progress:
    """What watchers are told while a run is under way. Nothing here influences the outcome."""

    def __init__(self, journal: Journal, budget: Budget) -> None:
        self.expected = 0
        self._journal = journal
        self._budget = budget
        self._began = time.monotonic()
        self._shown = 0.0
        self._stage, self._stage_done, self._stage_size = "", 0, 0
        self._counted: set[str] = set()
        self._bought = 0

    def begin(self, stage: str, size: int) -> None:
        """A new evaluation starts."""
        self._stage, self._stage_done, self._stage_size = stage, 0, size
        self.show()

    def count(self, sample: Sample, bought: bool) -> None:
        """One more sample is there; ``bought`` is False when it came from the journal."""
        self._stage_done += 1
        if sample.key not in self._counted:
            self._counted.add(sample.key)
            self._bought += bought
        if time.monotonic() - self._shown >= PROGRESS_S:
            self.show()

    def end(self) -> None:
        """The kind is finished, whatever it had expected."""
        self.expected = len(self._counted)
        self.show()

    def show(self) -> None:
        """Tell where the run is."""
        self._shown = time.monotonic()
        done, expected = len(self._counted), max(self.expected, len(self._counted), 1)
        spent = self._budget.spent
        pace = (self._shown - self._began) / self._bought if self._bought else None
        self._journal.tell(
            "progress",
            {
                "stage": self._stage,
                "done": self._stage_done,
                "total": self._stage_size,
                "fraction": round(done / expected, 4),
                "eta_s": round(pace * (expected - done), 1) if pace is not None else None,
                "calls": spent.calls,
                "tokens": spent.tokens,
                "cost_usd": round(spent.usd, 6),
            },
        )
