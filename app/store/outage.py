"""A store that does not answer is waited for, with growing pauses, as long as the patience lasts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.ports.journal import JournalUnavailable

T = TypeVar("T")

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 1.0

_WORDS = (
    ("disk is full", "its disk is full"),
    ("no space left", "its disk is full"),
    ("readonly database", "its file may only be read"),
    ("read-only transaction", "it may only be read"),
    ("disk i/o error", "its disk cannot be read or written"),
    ("unable to open database file", "its file cannot be opened"),
    ("malformed", "its file is damaged"),
    ("not a database", "its file is damaged"),
    ("is locked", "another program keeps it locked"),
)
"""What drivers say, in lower case, and what that means for a person."""


class Patience:
    """How long a store that is away is waited for. seconds: from the first failure until giving up."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = None
        self._pause = FIRST_PAUSE_S

    @property
    def waited_s(self) -> float:
        """Seconds since the first failure of this outage; 0 when there is none."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    def pause_s(self) -> float:
        """Seconds to wait before the next try; 0 when the patience is over, until the store has answered again."""
        if self._since is None:
            self._since = time.monotonic()
        left = self._seconds - self.waited_s
        pause, self._pause = min(self._pause, left), min(self._pause * 2, LONGEST_PAUSE_S)
        return max(pause, 0.0)

    def end(self) -> None:
        """Wait no more, in this outage or a later one."""
        self._seconds = 0.0

    def answered(self) -> None:
        """The store is there."""
        self._since, self._pause = None, FIRST_PAUSE_S


def is_away(error: Exception) -> bool:
    """True when a later try of the same may succeed: no connection, locked, disk full, read-only."""
    return isinstance(error, OperationalError | InterfaceError | PoolTimeout) or (
        isinstance(error, DBAPIError) and "read-only transaction" in str(error.orig)
    )


def reason(error: Exception) -> str:
    """Why the store failed: in words for a person where they are known, with the driver's own first line.

    SQLAlchemy's words are left out; they repeat the statement and its values.
    """
    words = error.orig if isinstance(error, SQLAlchemyError) and hasattr(error, "orig") else error
    first = str(words).strip().partition("\n")[0]
    meaning = next((meaning for mark, meaning in _WORDS if mark in first.lower()), "")
    return f"{meaning} ({first})" if meaning else first


def insist(work: Callable[[], T], seconds: float) -> T:
    """Do the work, again and again while the store is away. The work must be harmless to repeat.

    Raises: JournalUnavailable when the seconds are over.
    """
    patience = Patience(seconds)
    while True:
        try:
            return work()
        except SQLAlchemyError as error:
            if not is_away(error):
                raise
            pause = patience.pause_s()
            if not pause:
                raise JournalUnavailable(f"the store does not answer: {reason(error)}") from error
            time.sleep(pause)
