"""The event stream: a cursor that survives a break, an end, and a limit that does not starve anybody."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.config import Settings
from app.store.database import Database
from app.store.models import Event
from app.web.live import Streams
from tests.web.seed import Seeded


def blocks(answer: TestResponse) -> Iterator[dict[str, str]]:
    """The messages of a stream as they come."""
    rest = ""
    for piece in answer.response:
        rest += piece if isinstance(piece, str) else piece.decode()
        *whole, rest = rest.split("\n\n")
        for block in whole:
            lines = (line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            yield dict(lines)


def test_an_ended_run_is_told_to_the_end(client: FlaskClient, seeded: Seeded) -> None:
    answer = client.get("/runs/r0finished/events")
    assert answer.mimetype == "text/event-stream"
    told = [block.get("event") for block in blocks(answer)]
    assert told.count("run-proposal") == 6
    assert told[-1] == "run-end"


def test_the_cursor_of_the_header_wins_over_the_address(client: FlaskClient, seeded: Seeded) -> None:
    every = [int(b["id"]) for b in blocks(client.get("/runs/r0finished/events")) if "id" in b]
    middle = every[len(every) // 2]
    rest = client.get("/runs/r0finished/events?after=0", headers={"Last-Event-ID": str(middle)})
    assert [int(b["id"]) for b in blocks(rest) if "id" in b] == [number for number in every if number > middle]


@pytest.mark.parametrize("said", ["", "soup", "-3", "9" * 40])
def test_a_strange_cursor_is_none(client: FlaskClient, seeded: Seeded, said: str) -> None:
    answer = client.get("/runs/r0finished/events", headers={"Last-Event-ID": said})
    assert next(b for b in blocks(answer) if "id" in b)["event"] == "run-plan"


def test_news_of_a_running_run_arrive_within_a_second(client: FlaskClient, seeded: Seeded, database: Database) -> None:
    def speak() -> None:
        time.sleep(0.3)
        with database.session() as session:
            session.add(Event(run_id="r1running", name="wait", data={"model": "m", "seconds": 1, "why": "why"}))
            session.commit()

    with database.session() as session:
        newest = max(e.id for e in session.query(Event).filter_by(run_id="r1running"))
    answer = client.get(f"/runs/r1running/events?after={newest}")
    speaker = threading.Thread(target=speak)
    began = time.monotonic()
    speaker.start()
    heard = next(b for b in blocks(answer) if "id" in b)
    speaker.join()
    answer.close()
    assert heard["event"] == "run-wait"
    assert time.monotonic() - began < 1.5


def test_a_deleted_run_ends_its_stream_and_an_unknown_one_is_not_found(client: FlaskClient, seeded: Seeded) -> None:
    assert client.get("/runs/nope/events").status_code == 404


def test_too_many_streams_are_asked_to_come_back(client: FlaskClient, seeded: Seeded) -> None:
    open_ones = [client.get("/runs/r1running/events") for _ in range(8)]
    streams = [blocks(answer) for answer in open_ones]
    for stream in streams:
        next(stream)
    busy = list(blocks(client.get("/runs/r1running/events")))
    assert busy == [{"retry": "5000", "event": "run-tick", "data": "busy"}]
    open_ones[0].close()
    again = client.get("/runs/r1running/events")
    assert next(blocks(again)) == {"retry": "1000"}
    for answer in [*open_ones[1:], again]:
        answer.close()


def test_places_are_counted_for_each_client_and_in_all() -> None:
    streams = Streams(Settings(max_streams=3, max_streams_per_client=2))
    assert [streams.take("a"), streams.take("a"), streams.take("a")] == [True, True, False]
    assert [streams.take("b"), streams.take("c")] == [True, False]
    streams.give_back("a")
    assert streams.take("c")
