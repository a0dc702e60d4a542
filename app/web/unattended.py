"""Why nobody picks up a queued run, or works on one that is under way, in words with what to do."""

from __future__ import annotations

import redis

from app.services import workers
from app.services.machine import Machine
from app.services.patience import within
from app.store.claims import is_attended
from app.store.models import Run
from app.web.context import backend, settings
from app.web.database import session

TIMEOUT_S, WAIT_S = 0.5, 1.0
NOBODY = "No worker is running. Start one with `whetstone worker`, or everything with `whetstone up`."

SILENT = (
    "It was lost, or it waits for the database, buying nothing. The run goes on by itself, "
    "and nothing that was paid for is lost."
)


def why_unattended() -> str:
    """ "" when a worker lives and may buy; asks Redis for at most a second."""
    if trouble := _disk():
        return trouble
    address = settings().redis_address
    try:
        alive = within(WAIT_S, lambda: _alive(address))
    except (redis.RedisError, ValueError, TimeoutError):
        return "Redis does not answer, so workers are not told at once; runs wait in the database until one looks."
    return "" if alive else NOBODY


def why_silent(run: Run) -> str:
    """Why nothing is heard of a running run's worker; "" when its lease is good, or the run is not running."""
    if run.status != "running" or is_attended(session().connection(), run.id):
        return ""
    return _disk() or SILENT


def _disk() -> str:
    trouble = Machine.of(settings(), backend().engine).trouble()
    return f"{trouble}." if trouble else ""


def _alive(address: str) -> list[str]:
    with redis.Redis.from_url(address, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S) as client:
        return workers.alive(client)
