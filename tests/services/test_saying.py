"""What models say reaches the pages through a real Redis, bounded, and a Redis that is away costs nothing."""

from __future__ import annotations

import logging
import time

import pytest
import redis

from app.services.saying import LONGEST, RedisEar, said


def test_what_is_said_can_be_read_while_it_comes_and_a_second_try_begins_anew(redis_url: str) -> None:
    ear, started = RedisEar(redis_url, "run1"), time.monotonic()
    first, second = ear.listener("0"), ear.listener("1")
    first.begin()
    first.hear("a half that is ")
    second.hear("<b>")
    with redis.Redis.from_url(redis_url) as client:
        while len(said(client, "run1")) < 2:
            assert time.monotonic() - started < 10
        first.begin()
        for _ in range(1000):
            first.hear("y" * 100)
        ear.close()
        assert said(client, "run1") == {"0": "y" * LONGEST, "1": "<b>"}
        assert 0 < client.ttl("whetstone:saying:run1") <= 900
        assert said(client, "another") == {}


def test_without_redis_it_is_not_seen_and_nothing_else_happens(caplog: pytest.LogCaptureFixture) -> None:
    ear = RedisEar("redis://127.0.0.1:1/0", "run2")
    with caplog.at_level(logging.WARNING):
        ear.listener("0").hear("words")
        ear.close()
    assert "Redis is away" in caplog.text
    ear.listener("0").hear("more")
    RedisEar("redis://127.0.0.1:1/0", "run3").close()  # nobody ever spoke
