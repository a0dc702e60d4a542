"""The web server killed in the middle of an upload, an import and an export, and flooded with streams."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.config import ROOT
from app.store.models import Dataset, Example
from tests.faults.pages import SLOWEST_S, Pages
from tests.jobs.conftest import Workplace, processes_of

pytestmark = pytest.mark.faults
ROWS = 60_000
BOUNDARY = "whetstone-boundary"


@pytest.fixture
def pages(place: Workplace) -> Pages:
    """The pages of the place."""
    return Pages(place)


def multipart(rows: int) -> bytes:
    """A form with a file of so many rows."""
    table = "input,reference\n" + "".join(f"message number {n},label {n % 7}\n" for n in range(rows))
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="big.csv"\r\n'
    return f"{head}Content-Type: text/csv\r\n\r\n{table}\r\n--{BOUNDARY}--\r\n".encode()


def head_of(path: str, port: int, length: int) -> bytes:
    """The head of a request that sends a form."""
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {length}"]
    lines.append(f"Content-Type: multipart/form-data; boundary={BOUNDARY}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def rows_of(place: Workplace) -> tuple[int, int]:
    """How many datasets and examples there are."""
    with place.database.session() as session:
        datasets = session.scalar(select(func.count()).select_from(Dataset)) or 0
        return datasets, session.scalar(select(func.count()).select_from(Example)) or 0


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill -9 a server with all its processes."""
    for pid in processes_of(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("path", ["/datasets/new", "/api/v1/datasets"])
def test_killed_in_the_middle_of_an_upload(place: Workplace, pages: Pages, path: str) -> None:
    body = multipart(ROWS)
    with socket.create_connection(("127.0.0.1", pages.port)) as browser:
        browser.sendall(head_of(path, pages.port, len(body)) + body[: len(body) // 2])
        time.sleep(0.5)
        kill(pages.process)
    assert rows_of(place) == (0, 0)
    pages.start()
    assert pages.get("/datasets").status == 200
    left = [file for name in ("tmp", "uploads") for file in (place.folder / name).rglob("*") if file.is_file()]
    assert left == []


@pytest.mark.parametrize("place", ["sqlite", "postgresql"], indirect=True)
def test_killed_in_the_middle_of_an_import(place: Workplace, pages: Pages) -> None:
    body = multipart(ROWS)
    with socket.create_connection(("127.0.0.1", pages.port)) as browser:
        browser.sendall(head_of("/api/v1/datasets", pages.port, len(body)) + body)
        place.wait(lambda: writing(place), "rows are being written")
        kill(pages.process)
    assert rows_of(place) == (0, 0), "no half dataset"
    pages.start()
    with socket.create_connection(("127.0.0.1", pages.port)) as browser:
        browser.sendall(head_of("/api/v1/datasets", pages.port, len(body)) + body)
        assert b" 201 " in browser.recv(100)
    assert rows_of(place) == (1, ROWS)


def writing(place: Workplace) -> bool:
    """Whether somebody is in the middle of a transaction that writes."""
    if place.database.is_sqlite:
        wal = place.folder / "app.db-wal"
        return wal.exists() and wal.stat().st_size > 2**20
    with place.database.engine.connect() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE query ILIKE '%%examples%%' AND pid <> pg_backend_pid()"
        return bool(connection.exec_driver_sql(query).scalar())


def test_killed_in_the_middle_of_an_export(place: Workplace) -> None:
    """What it leaves is hidden and no export; the next one is complete, and clears it away."""
    run_id = place.queue()
    place.start_worker()
    place.wait_until_done(run_id)
    target = place.folder / "out"
    command = [sys.executable, "-m", "app.cli", "runs", "export", run_id, "--output", str(target)]
    seen = 0
    for _ in range(20):
        process = place.start(command)
        place.wait(lambda: target.is_dir() and any(target.iterdir()), "the export begins")
        process.kill()
        process.wait()
        seen += any(file.name.startswith(".") for file in target.iterdir())
        assert not (target / run_id).exists() or complete(target / run_id)
        if seen:
            break
    assert seen, "it was never killed in the middle"
    for file in target.iterdir():
        os.utime(file, (0, 0))  # an hour later
    assert subprocess.run(command, cwd=ROOT, env=place.environment(), capture_output=True).returncode == 0
    assert complete(target / run_id)
    assert [file.name for file in target.iterdir()] == [run_id]


def complete(folder: Path) -> bool:
    """Whether an export holds all that it should."""
    wanted = {
        "spec.json",
        "outcome.json",
        "report.html",
        "metrics.csv",
        "samples.csv",
        "calls.csv",
        "speed.csv",
        "prompts",
    }
    return {file.name for file in folder.iterdir()} == wanted


@contextlib.contextmanager
def flood(port: int, run_id: str, clients: int) -> Iterator[list[socket.socket]]:
    """So many clients that listen to a run's events and come again when they are sent away."""
    stop, open_ones = threading.Event(), []

    def listen() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                open_ones.append(client)
                client.sendall(f"GET /runs/{run_id}/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
                while not stop.is_set() and client.recv(4096):
                    pass
            stop.wait(1)

    threads = [threading.Thread(target=listen, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    yield open_ones
    stop.set()
    for client in open_ones.copy():
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(10)


def test_a_flood_of_streams_leaves_the_pages_alone(place: Workplace, pages: Pages) -> None:
    run_id = place.queue()
    before = [pages.get(path).seconds for path in ("/", "/runs", f"/runs/{run_id}") for _ in range(3)]
    with flood(pages.port, run_id, 200) as streams:
        place.wait(lambda: len(streams) >= 200, "the flood is there")
        answers = [pages.get(path) for path in ("/", "/runs", f"/runs/{run_id}", "/datasets") for _ in range(5)]
    assert {a.status for a in answers} == {200}
    assert max(a.seconds for a in answers) < max(SLOWEST_S, 10 * max(before))
    assert re.search("Queued|Waiting", answers[10].text)
