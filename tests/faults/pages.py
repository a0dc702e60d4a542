"""The served pages as a process of their own, and a browser's requests to them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from tests.jobs.conftest import Workplace
from tests.servers import free_port

SLOWEST_S = 2.0
"""A page takes no longer than this, whatever is away."""


@dataclass(frozen=True)
class Answer:
    """What came back, and how long it took."""

    status: int
    text: str
    seconds: float


class Pages:
    """The web server of a workplace."""

    def __init__(self, place: Workplace) -> None:
        self.port = free_port()
        self._place = place
        place.environ |= {
            "WHETSTONE_PORT": str(self.port),
            "WHETSTONE_EXPERIMENTS_DIR": str(place.folder / "experiments"),
            "TMPDIR": str(place.folder / "tmp"),
        }
        (place.folder / "tmp").mkdir(exist_ok=True)
        self.process = self.start()

    @property
    def url(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> subprocess.Popen[bytes]:
        """Serve; returns once a page has come."""
        self.process = self._place.start([sys.executable, "-m", "app.cli", "web"])
        self._place.wait(self._answers, "the pages answer")
        self.get("/")  # the first page compiles its templates
        return self.process

    def _answers(self) -> bool:
        try:
            return self.get("/healthz").status == 200
        except OSError:
            return False

    def get(self, path: str) -> Answer:
        """Open a page."""
        return self._ask(urllib.request.Request(self.url + path))

    def post(self, path: str, body: Any) -> Answer:
        """Send JSON."""
        headers = {"Content-Type": "application/json"}
        return self._ask(urllib.request.Request(self.url + path, json.dumps(body).encode(), headers))

    def _ask(self, request: urllib.request.Request) -> Answer:
        began = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                status, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            status, text = refused.code, refused.read().decode()
        return Answer(status, text, time.monotonic() - began)
