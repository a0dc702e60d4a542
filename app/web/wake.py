"""Tells waiting event streams what is new: one look at the event table a process, however many streams there are."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.services import feed

log = logging.getLogger(__name__)

LOOK_S = 0.2
"""Time between two looks while a stream waits; nobody looks while none does."""
IDLE_S = 10.0
"""A stream that hears nothing looks for itself after this time, whatever the reason was."""
KEPT = 500
"""Events of a run that are kept for streams that lag behind."""
LATE = 200
"""Events before the newest one that are looked at again: those of two runs may become visible in another order than their
ids."""


@dataclass
class _News:
    """Events of one run. Every event after ``since`` is there."""

    since: int
    watchers: int = 0
    events: deque[tuple[int, str]] = field(default_factory=deque)

    def add(self, number: int, name: str) -> None:
        self.events.append((number, name))
        if len(self.events) > KEPT:
            self.since = self.events.popleft()[0]


class Wake:
    """Remembers the latest events of each run that somebody watches. Its thread starts with the first stream."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._news: dict[str, _News] = {}
        self._seen: deque[int] = deque(maxlen=4 * LATE)
        self._waiting = 0
        self._changed = threading.Condition()
        self._newest = -1
        """Id of the newest event that was looked at; -1 before the first stream came."""

    def watch(self, run_id: str) -> None:
        """Remember what happens in the run from now on; to be called before looking into the database."""
        with self._changed:
            if self._newest < 0:
                with Session(self._engine) as session:
                    self._newest = feed.newest_of_all(session)
                threading.Thread(target=self._watch, name="wake", daemon=True).start()
            self._news.setdefault(run_id, _News(self._newest)).watchers += 1

    def leave(self, run_id: str) -> None:
        """One watcher less; what nobody watches is forgotten."""
        with self._changed:
            self._news[run_id].watchers -= 1
            if not self._news[run_id].watchers:
                del self._news[run_id]

    def after(self, run_id: str, cursor: int) -> list[tuple[int, str]] | None:
        """Wait a while for events after the cursor; id and name of each. None when the database has to be asked."""
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()
            news = self._news[run_id]
            there = self._changed.wait_for(lambda: news.events and news.events[-1][0] > cursor, timeout=IDLE_S)
            self._waiting -= 1
            return [event for event in news.events if event[0] > cursor] if there and cursor >= news.since else None

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
            found = feed.of_all(session, max(0, self._newest - LATE))
        known = set(self._seen)
        new = [event for event in found if event[0] not in known]
        if new:
            with self._changed:
                self._take(new)
                self._changed.notify_all()

    def _take(self, new: Iterable[tuple[int, str, str]]) -> None:
        for number, run_id, name in new:
            self._seen.append(number)
            self._newest = max(self._newest, number)
            news = self._news.get(run_id)
            if news and number > news.since:
                news.add(number, name)
