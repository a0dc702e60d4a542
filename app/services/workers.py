"""Which workers live: each one says so in Redis every few seconds; pages and the doctor read it."""

from __future__ import annotations

import redis

PREFIX = "whetstone:worker:"


def beat(client: redis.Redis, name: str, ttl_s: float) -> None:
    """Say that a worker lives. ttl_s: after so many seconds of silence it counts as gone. Raises: redis.RedisError."""
    client.set(PREFIX + name, "alive", px=int(ttl_s * 1000))


def alive(client: redis.Redis) -> list[str]:
    """Names of the workers that live, sorted. Raises: redis.RedisError."""
    return sorted(key.decode().removeprefix(PREFIX) for key in client.scan_iter(match=PREFIX + "*", count=1000))
