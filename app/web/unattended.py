"""Why nobody picks up a queued run, in words with what to do."""

from __future__ import annotations

import redis

from app.services import workers
from app.services.patience import within
from app.web.context import settings

TIMEOUT_S, WAIT_S = 0.5, 1.0
NOBODY = "No worker is running. Start one with `whetstone worker`, or everything with `whetstone up`."


def why_unattended() -> str:
    """ "" when a worker lives; asks Redis for at most a second."""
    address = settings().redis_address
    try:
        alive = within(WAIT_S, lambda: _alive(address))
    except (redis.RedisError, ValueError, TimeoutError):
        return "Redis does not answer, so workers are not told at once; runs wait in the database until one looks."
    return "" if alive else NOBODY


def _alive(address: str) -> list[str]:
    with redis.Redis.from_url(address, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S) as client:
        return workers.alive(client)
