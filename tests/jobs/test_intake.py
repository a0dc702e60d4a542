from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import redis

from app.jobs.intake import PARKED, Client, Malformed, run_of
from app.services import hints

GOOD: dict[str, Any] = {
    "body": base64.b64encode(b'[["run1"], {}, {"callbacks": null}]').decode(),
    "content-encoding": "utf-8",
    "content-type": "application/json",
    "headers": {"task": hints.TASK, "id": "1", "eta": None, "expires": None},
    "properties": {
        "delivery_tag": "t",
        "delivery_info": {"exchange": "", "routing_key": "q"},
        "body_encoding": "base64",
    },
}


def changed(path: str, value: Any) -> bytes:
    envelope = json.loads(json.dumps(GOOD))
    *parents, last = path.split("/")
    target = envelope
    for parent in parents:
        target = target[parent]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return json.dumps(envelope).encode()


def body(value: Any) -> bytes:
    return changed("body", base64.b64encode(json.dumps(value).encode()).decode())


BAD = [
    b"",
    b"garbage",
    b"\xff\xfe\x00",
    b"null",
    b"[]",
    b"[1, 2]",
    b"{}",
    b'{"headers": null, "properties": {}}',
    b"[" * 100_000,
    changed("headers/task", "drive_everything"),
    changed("headers/task", ["x"]),
    changed("headers/task", ...),
    changed("headers/id", ...),
    changed("headers/id", 5),
    changed("headers/eta", "2030-01-01"),
    changed("headers/expires", 5),
    changed("headers", "text"),
    changed("properties", None),
    changed("properties/delivery_tag", None),
    changed("properties/delivery_info", []),
    changed("properties/delivery_info", {}),
    changed("properties/body_encoding", "rot13"),
    changed("content-type", "application/x-python-serialize"),
    changed("content-type", ...),
    changed("content-encoding", "binary"),
    changed("body", "!!!"),
    changed("body", 5),
    changed("body", base64.b64encode(b"hello").decode()),
    body([]),
    body(["run1"]),
    body([["run1"], {}]),
    body([["run1"], {}, None]),
    body([["run1"], {"force": True}, {}]),
    body([["run1", "run2"], {}, {}]),
    body([[], {}, {}]),
    body([[None], {}, {}]),
    body([[{"x": 1}], {}, {}]),
    body([["../../etc"], {}, {}]),
    body([["x" * 17], {}, {}]),
    body([[""], {}, {}]),
    body({"a": 1}),
]


def test_a_hint_names_its_run() -> None:
    assert run_of(json.dumps(GOOD).encode()) == "run1"


def test_what_the_services_send_is_a_hint(redis_url: str) -> None:
    assert hints.send(redis_url, "a1b2c3")
    with redis.Redis.from_url(redis_url) as client:
        assert run_of(client.lpop(hints.QUEUE)) == "a1b2c3"  # type: ignore[arg-type]


@pytest.mark.parametrize("message", BAD, ids=[repr(message[:60]) + str(n) for n, message in enumerate(BAD)])
def test_everything_else_is_malformed(message: bytes) -> None:
    with pytest.raises(Malformed):
        run_of(message)


def test_a_malformed_message_is_parked_and_the_queue_looks_empty(redis_url: str) -> None:
    with Client.from_url(redis_url) as client:
        client.lpush("q", json.dumps(GOOD), b"\xffgarbage")
        assert client.execute_command("BRPOP", "q", 1)[1] == json.dumps(GOOD).encode()
        assert client.execute_command("BRPOP", "q", 1) is None
        (record,) = client.lrange(PARKED, 0, -1)
    kept = json.loads(record)
    assert kept["message"] == "\\xffgarbage"
    assert "not a task message" in kept["reason"]


def test_a_hint_without_a_broker_is_given_up_within_a_second() -> None:
    assert not hints.send("redis://127.0.0.1:1/0", "run1")
