"""A run's events as server-sent events. The event's id is the cursor; after a break the browser goes on where it was."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, Flask, Response, current_app, request
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.config import Settings
from app.services import feed, runs
from app.services.errors import NotFound
from app.web import params
from app.web.context import backend
from app.web.database import session
from app.web.wake import Wake

pages = Blueprint("live", __name__)
log = logging.getLogger(__name__)

HEARTBEAT_S = 10.0
"""A comment is sent at least this often; it keeps proxies awake and finds out who has left."""
BATCH = 200
PACE_S = 0.2
"""Least time between two batches; the page then asks for its parts a few times a second, not for every event."""
ENDED = frozenset({"done", "failed", "cancelled"})
BUSY = "retry: 5000\nevent: run-tick\ndata: busy\n\n"
"""What a client gets that has too many streams: refresh now, and come again in five seconds."""


class Streams:
    """How many streams are open, in all and from one address."""

    def __init__(self, settings: Settings) -> None:
        self._most, self._most_per_client = settings.max_streams, settings.max_streams_per_client
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()

    def take(self, client: str) -> bool:
        """Take a place; False when there is none."""
        with self._lock:
            if self._open.total() >= self._most or self._open[client] >= self._most_per_client:
                return False
            self._open[client] += 1
            return True

    def give_back(self, client: str) -> None:
        """The place is free again."""
        with self._lock:
            self._open[client] -= 1


@dataclass(frozen=True)
class _Live:
    streams: Streams
    wake: Wake


def prepare(app: Flask, settings: Settings, engine: Engine) -> None:
    """Give the application its places for streams and its eye for news."""
    app.extensions["live"] = _Live(Streams(settings), Wake(engine))


@pages.get("/runs/<run_id>/events")
def events(run_id: str) -> Response:
    """Everything that happens in the run after the cursor: the header Last-Event-ID, else ``after`` of the address."""
    runs.get(session(), run_id)
    live: _Live = current_app.extensions["live"]
    client = request.remote_addr or ""
    if not live.streams.take(client):
        return Response(BUSY, mimetype="text/event-stream")
    stream = until_trouble(_tell(backend().engine, live.wake, run_id, _cursor()))
    response = Response(stream, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
    response.call_on_close(lambda: live.streams.give_back(client))
    return response


def _cursor() -> int:
    said = request.headers.get("Last-Event-ID", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 19 else params.whole("after")


def until_trouble(messages: Iterator[str]) -> Iterator[str]:
    """End the stream quietly when the database is away; the browser comes back by itself."""
    try:
        yield from messages
    except SQLAlchemyError as error:
        log.warning("an event stream ended early: %s", error)


def _tell(engine: Engine, wake: Wake, run_id: str, cursor: int) -> Iterator[str]:
    wake.watch(run_id)
    try:
        yield from _follow(engine, wake, run_id, cursor)
    finally:
        wake.leave(run_id)


def _follow(engine: Engine, wake: Wake, run_id: str, cursor: int) -> Iterator[str]:
    yield "retry: 1000\n: open\n\n"
    silent_since = time.monotonic()
    found = _look(engine, run_id, cursor)
    while True:
        for number, name in found.events:
            cursor = number
            yield f"id: {number}\nevent: run-{name}\ndata: {number}\n\n"
        if found.events:
            yield "event: run-any\ndata: news\n\n"
            silent_since = time.monotonic()
            time.sleep(PACE_S)
        elif found.ended:
            yield "event: run-end\ndata: end\n\n"
            return
        # More may wait in the database; and the status is there alone, so it is looked up when it has changed.
        told = None if found.ended or len(found.events) == BATCH else wake.after(run_id, cursor)
        known = told is not None and all(name != "status" for _, name in told)
        found = _Found(told or [], ended=False) if known else _look(engine, run_id, cursor)
        if time.monotonic() - silent_since > HEARTBEAT_S:
            silent_since = time.monotonic()
            yield ": still here\n\n"


@dataclass(frozen=True)
class _Found:
    events: list[tuple[int, str]]
    ended: bool


def _look(engine: Engine, run_id: str, cursor: int) -> _Found:
    """What is new. The status is read first: once a run has ended, nothing comes after what is seen then."""
    with Session(engine) as db:
        try:
            ended = runs.get(db, run_id).status in ENDED
        except NotFound:
            return _Found([], ended=True)
        return _Found([(e.id, e.name) for e in feed.since(db, run_id, cursor, limit=BATCH)], ended)
