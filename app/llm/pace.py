"""Turns under a rate limit that all workers share through Redis; without Redis each process paces itself."""

from __future__ import annotations

import logging

import redis.asyncio as redis
from redis.exceptions import RedisError

from app.core.pace import LocalPace, interval_s, tolerance_s
from app.ports.pace import Lane

logger = logging.getLogger(__name__)

PREFIX = "whetstone:lane:"
SECONDS = 1.0
"""A call must not wait longer than this for a Redis that is away."""

_TURN = """
local time = redis.call("TIME")
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local interval, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2])
local idle_at = math.max(now, tonumber(redis.call("GET", KEYS[1]) or "0"))
local next_idle_at = idle_at + interval
redis.call("SET", KEYS[1], string.format("%.6f", next_idle_at), "PX", math.ceil((next_idle_at - now) * 1000) + 1000)
return string.format("%.6f", math.max(0, idle_at - tolerance - now))
"""
"""The same rule as app.core.pace, by the clock of Redis."""


class RedisPace:
    """Implements app.ports.pace.Pace. One for each event loop."""

    def __init__(self, address: str) -> None:
        self._client = redis.Redis.from_url(address, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
        self._turn = self._client.register_script(_TURN)
        self._alone = LocalPace()
        self._away = False

    async def turn(self, lane: Lane) -> float:
        """See the port."""
        if lane.rpm is None:
            return 0.0
        alone = await self._alone.turn(lane)  # kept up to date, so that it can take over at any moment
        try:
            shared = await self._turn(keys=[PREFIX + lane.name], args=[interval_s(lane.rpm), tolerance_s(lane.rpm)])
        except (RedisError, OSError) as error:
            self._tell(str(error))
            return alone
        self._away = False
        return float(shared)

    def _tell(self, why: str) -> None:
        if not self._away:
            logger.warning("Redis is away (%s): rate limits hold for each process alone until it is back", why)
        self._away = True

    async def aclose(self) -> None:
        """See the port."""
        await self._client.aclose()
