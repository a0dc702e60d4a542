"""The page of a run stays live and honest while the web server is killed and comes back on the same port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from app.store.database import Database
from app.store.models import Prompt
from tests.servers import free_port
from tests.web import bank, seed

pytestmark = pytest.mark.browser
UP_WITHIN_S = 30


class Server:
    """The served pages as processes of their own, over a database in a folder."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith("WHETSTONE_")}
        self._environ |= {"WHETSTONE_DATA_DIR": str(folder), "WHETSTONE_PORT": str(self.port)}
        self._environ |= {"WHETSTONE_REDIS_URL": "redis://127.0.0.1:1/0"}
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "app.cli", "web"]
        self._process = subprocess.Popen(
            command, env=self._environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + UP_WITHIN_S
        while time.monotonic() < deadline:
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/healthz", timeout=5):
                return
            time.sleep(0.1)
        raise AssertionError("the server does not answer")

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Database(f"sqlite:///{tmp_path}/app.db") as database:
        database.upgrade()
    server = Server(tmp_path)
    yield server
    server.kill()


def test_the_page_goes_on_where_it_was(server: Server, tmp_path: Path, browser: Browser) -> None:
    with Database(f"sqlite:///{tmp_path}/app.db") as database, database.session() as session:
        prompt = Prompt(name="bank topics", kind="pair")
        session.add(prompt)
        session.flush()
        training = seed.Training(session, "grows", bank.dataset(session), prompt, seed=8)
        training.run_until(1)
        session.commit()
        page = browser.new_page()
        page.goto(f"{server.url}/runs/grows")
        note = page.locator("#stream-lost")
        training.epoch(2)
        session.commit()
        expect(page.locator("#proposal-2")).to_be_visible(timeout=15_000)

        server.kill()
        expect(note).to_contain_text("The connection to the server is lost", timeout=15_000)
        training.epoch(3)
        session.commit()
        server.start()
        expect(page.locator("#proposal-3")).to_be_visible(timeout=15_000)
        expect(note).to_contain_text("The connection is back after")

        training.epoch(4)
        training.end()
        session.commit()
        expect(page.locator("#proposal-4")).to_be_visible(timeout=15_000)
        expect(page.locator(".verdict")).to_be_visible()
        expect(page.locator("#log li").last).to_contain_text("The run is done")
        texts = page.locator("#log li.decision").all_inner_texts()
        for number in (1, 2, 3, 4):
            assert sum(f"proposal {number} (" in text for text in texts) == 1
        page.close()
