"""What models are saying now goes from the worker to the pages through Redis; without Redis it is simply not seen."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

import redis

logger = logging.getLogger(__name__)

PREFIX = "whetstone:saying:"
EVERY_S = 0.1
"""Seconds between two messages about one run."""
SECONDS = 1.0
"""A worker waits no longer than this for a Redis that is away; nobody else waits at all."""
LONGEST = 50_000
"""Characters of an answer that are shown while it comes; the rest is seen when it is there."""
KEPT_S = 900


class RedisEar:
    """Implements app.ports.live.Ear. A thread of its own passes on what is heard; it is started by the first listener."""

    def __init__(self, address: str, run_id: str) -> None:
        self._address, self._key = address, PREFIX + run_id
        self._texts: dict[str, str] = {}
        self._news: set[str] = set()
        self._changed = threading.Condition()
        self._over = False
        self._thread: threading.Thread | None = None

    def listener(self, key: str) -> _Listener:
        """See the port."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._pass_on, name="saying", daemon=True)
            self._thread.start()
        return _Listener(self, key)

    def close(self) -> None:
        """See the port."""
        with self._changed:
            self._over = True
            self._changed.notify()
        if self._thread:
            self._thread.join(2 * SECONDS)

    def say(self, key: str, text: str, *, anew: bool = False) -> None:
        """More of an answer, or the beginning of it."""
        with self._changed:
            before = "" if anew else self._texts.get(key, "")
            self._texts[key] = before if len(before) >= LONGEST else (before + text)[:LONGEST]
            self._news.add(key)
            self._changed.notify()

    def _pass_on(self) -> None:
        pause = threading.Event()
        with redis.Redis.from_url(self._address, socket_timeout=SECONDS, socket_connect_timeout=SECONDS) as client:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._news or self._over)
                    told = {key: self._texts[key] for key in self._news}
                    self._news.clear()
                    over = self._over
                if told and not self._tell(client, told):
                    return
                if over:
                    return
                pause.wait(EVERY_S)

    def _tell(self, client: redis.Redis, told: Mapping[Any, Any]) -> bool:
        """False when Redis is away: then this run is not heard any more."""
        try:
            client.hset(self._key, mapping=told)
            client.expire(self._key, KEPT_S)
        except redis.RedisError as error:
            logger.warning("answers of a run are not seen while they come, Redis is away: %s", error)
            return False
        return True


class _Listener:
    """Hears one answer."""

    def __init__(self, ear: RedisEar, key: str) -> None:
        self._ear, self._key = ear, key

    def begin(self) -> None:
        """See app.ports.llm.Listener."""
        self._ear.say(self._key, "", anew=True)

    def hear(self, text: str) -> None:
        """See app.ports.llm.Listener."""
        self._ear.say(self._key, text)


def said(client: redis.Redis, run_id: str) -> dict[str, str]:
    """What the run's models have said so far, by answer. Raises: redis.RedisError."""
    found: Mapping[bytes, bytes] = client.hgetall(PREFIX + run_id)  # type: ignore[assignment]
    return {key.decode(): text.decode("utf-8", "replace") for key, text in found.items()}
