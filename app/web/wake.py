"""Tells waiting event streams that a run has news: one Redis subscription a process, and a clock when Redis is away."""

from __future__ import annotations

import threading
import time
from collections import Counter

import redis

CHANNEL = "whetstone:run:"
POLL_S = 0.5
"""How often a stream looks by itself while nobody can wake it."""
IDLE_S = 2.0
"""How often it looks although nobody woke it; a lost message then costs two seconds."""
RETRY_S = 2.0


class Wake:
    """Counts the news of each run. One thread listens for all streams of this process; it starts with the first of them."""

    def __init__(self, redis_url: str) -> None:
        self._url = redis_url
        self._news: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._listening = False
        self._thread: threading.Thread | None = None

    def count(self, run_id: str) -> int:
        """News of the run so far; to be read before looking into the database."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="wake", daemon=True)
                self._thread.start()
            return self._news[run_id]

    def wait(self, run_id: str, seen: int) -> None:
        """Return when the run has more news than were seen, and in any case after a short while."""
        with self._changed:
            limit = IDLE_S if self._listening else POLL_S
            self._changed.wait_for(lambda: self._news[run_id] > seen, timeout=limit)

    def _listen(self) -> None:
        while True:
            try:
                self._hear()
            except (redis.RedisError, ValueError, OSError):
                self._listening = False
                time.sleep(RETRY_S)

    def _hear(self) -> None:
        with redis.Redis.from_url(self._url, socket_timeout=None, socket_connect_timeout=2) as client:
            subscription = client.pubsub(ignore_subscribe_messages=True)
            subscription.psubscribe(f"{CHANNEL}*")
            self._listening = True
            for message in subscription.listen():
                channel = message["channel"]
                name = channel.decode() if isinstance(channel, bytes) else str(channel)
                with self._changed:
                    self._news[name.removeprefix(CHANNEL)] += 1
                    self._changed.notify_all()
