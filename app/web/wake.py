"""Tells waiting event streams that a run has news: one look at the event table a process, however many streams there are."""

from __future__ import annotations

import logging
import threading
from collections import Counter

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.services import feed

log = logging.getLogger(__name__)

LOOK_S = 0.2
"""Time between two looks while a stream waits; nobody looks while none does."""
IDLE_S = 2.0
"""A stream looks for itself at least this often: events of two runs may become visible in another order than their ids."""


class Wake:
    """Counts the news of each run. Its thread starts with the first stream."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._news: Counter[str] = Counter()
        self._waiting = 0
        self._changed = threading.Condition()
        self._newest = -1
        """Id of the newest event that was looked at; -1 before the first stream came."""

    def count(self, run_id: str) -> int:
        """News of the run so far; to be read before looking into the database."""
        with self._changed:
            if self._newest < 0:
                with Session(self._engine) as session:
                    self._newest = feed.newest_of_all(session)
                threading.Thread(target=self._watch, name="wake", daemon=True).start()
            return self._news[run_id]

    def wait(self, run_id: str, seen: int) -> None:
        """Return when the run has more news than were seen, and in any case after a short while."""
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._news[run_id] > seen, timeout=IDLE_S)
            self._waiting -= 1

    def _watch(self) -> None:
        pause = threading.Event()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting > 0)
            try:
                self._look()
            except SQLAlchemyError as error:
                log.warning("event streams wait for the database: %s", error)
            pause.wait(LOOK_S)

    def _look(self) -> None:
        with Session(self._engine) as session:
            found = feed.runs_with_news(session, self._newest)
        if found:
            with self._changed:
                self._newest = max(found)
                self._news.update(set(found.values()))
                self._changed.notify_all()
