"""Why a run stops before its kind is finished.

    Halt
    |- Paused           the user; the run continues when it is resumed
    |  |- ProviderDown  every recent call failed, or the key, model or quota is wrong
    |  `- Undecided     a worker was cut off in the middle of calls, and a person wants to say what becomes of them
    |- Cancelled        the user; the run is over
    `- BudgetReached    a limit; the kind may catch it and end with the best so far

Losing the journal (app.ports.journal.JournalError) halts a run too; then another worker continues it.
"""

from __future__ import annotations


class Halt(Exception):
    """The run stops here; what was bought is on record."""


class Paused(Halt):
    """The run waits to be resumed; the message says why."""


class ProviderDown(Paused):
    """A model cannot be reached at all; the message names it and the cause.

    by_itself: whether it may pass by itself (an outage) or needs somebody (a wrong key).
    """

    def __init__(self, message: str, *, by_itself: bool) -> None:
        super().__init__(message)
        self.by_itself = by_itself


class Undecided(Paused):
    """Calls were cut off after sending; a person decides whether they are sent again."""


class Cancelled(Halt):
    """The user cancelled the run."""


class BudgetReached(Halt):
    """A limit would be passed by the next call; the message names the limit and its value."""
