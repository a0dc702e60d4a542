"""What the models of a try are saying, as server-sent events; a browser that comes back gets everything again as it is then."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import redis
from flask import Response, current_app, request
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.services import playground
from app.services.saying import said
from app.web.context import backend, settings
from app.web.live import BUSY, HEARTBEAT_S, until_trouble
from app.web.playground.page import AT_REST, get, pages

EVERY_S, PATIENT_S, SLOW_S = 0.15, 30.0, 1.0
"""Seconds between two looks, and between two looks when nothing was said for PATIENT_S."""
TIMEOUT_S = 0.5


@pages.get("/<run_id>/stream")
def stream(run_id: str) -> Response:
    """Events: say (a JSON object of number and text so far), card (the number of an answer that is complete), end."""
    get(run_id)
    streams = current_app.extensions["live"].streams
    client = request.remote_addr or ""
    if not streams.take(client):
        return Response(BUSY, mimetype="text/event-stream")
    messages = until_trouble(_tell(backend().engine, settings().redis_address, run_id))
    response = Response(messages, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
    response.call_on_close(lambda: streams.give_back(client))
    return response


def _tell(engine: Engine, address: str, run_id: str) -> Iterator[str]:
    yield "retry: 1000\n: open\n\n"
    shown: dict[str, str] = {}
    told: set[int] = set()
    quiet_since = time.monotonic()
    with redis.Redis.from_url(address, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S) as client:
        while True:
            with Session(engine) as db:  # before the texts: what is over by then has said everything
                status, ended = playground.look(db, run_id)
            news = [*_said(client, run_id, shown), *(_event("card", number) for number in sorted(ended - told))]
            told |= ended
            yield from news
            if status in AT_REST:
                yield _event("end", status)
                return
            if news:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > HEARTBEAT_S:
                yield ": still here\n\n"
            time.sleep(EVERY_S if time.monotonic() - quiet_since < PATIENT_S else SLOW_S)


def _said(client: redis.Redis, run_id: str, shown: dict[str, str]) -> Iterator[str]:
    """What was said since the last look; nothing while Redis is away."""
    try:
        texts = said(client, run_id)
    except redis.RedisError:
        return
    for key, text in texts.items():
        if shown.get(key) != text:
            shown[key] = text
            yield _event("say", {"number": key, "text": text})


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
