"""Real workers on a real Redis, driving trainings of models that a fake server computes by rule and counts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.config import ROOT, Settings
from app.llm.gateway import Gateway
from app.services import datasets, runs, training
from app.store.database import Database
from app.store.models import Run
from tests.fakes.openai_server import OpenAIServer

LEASE_S, SWEEP_S = 2.0, 0.3


@dataclass
class Workplace:
    """A data folder with its database, and the workers that were started on it.

    database_url: "" for SQLite in the folder. environ: over the workers' environment.
    """

    folder: Path
    redis_url: str
    server: OpenAIServer
    database_url: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings = Settings(data_dir=self.folder, redis_url=self.redis_url, database_url=self.database_url)
        self.database = Database(self.settings.database_url)
        self.database.upgrade()

    def queue(self, **changes: object) -> str:
        """A queued training; no hint is sent."""
        with self.database.session() as session:
            form = {
                "dataset": datasets.import_sample(session, "support_intents.csv").name,
                "system_prompt": "Classify the message.",
                "primary_model": "openai/rule",
                "optimizer_model": "openai/proposer",
                "api_base": self.server.url + "/v1",
                "optimizer_api_base": self.server.url + "/v1",
                "strategy": "full_rewrite",
                "epochs": 3,
                "concurrency": 4,
                "cache": "off",
                **changes,
            }
            gateway = Gateway(self.settings, {})
            spec = training.parse(session, form, settings=self.settings, gateway=gateway)
            return training.start(session, spec).id

    def environment(self) -> dict[str, str]:
        """What every process of this place is started with."""
        return {
            **{key: value for key, value in os.environ.items() if not key.startswith("WHETSTONE_")},
            "WHETSTONE_DATA_DIR": str(self.folder),
            "WHETSTONE_LEASE_S": str(LEASE_S),
            "WHETSTONE_SWEEP_S": str(SWEEP_S),
            "WHETSTONE_DATABASE_URL": self.settings.database_url,
            "REDIS_URL": self.redis_url,
            "REMAP_SIGTERM": "SIGQUIT",
            **self.environ,
        }

    def start_worker(self, *options: str) -> subprocess.Popen[bytes]:
        """The command that people use, in a session of its own."""
        command = [sys.executable, "-m", "celery", "-A", "worker", "worker", "--loglevel", "INFO", "--without-mingle"]
        return self.start([*command, *options])

    def start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Any command, in a session of its own that ends with the test."""
        with (self.folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment(), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.workers.append(process)
        return process

    def close(self) -> None:
        """End every process and let the database go."""
        for process in self.workers:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.database.close()

    def run(self, run_id: str) -> Run:
        """The run as it is now."""
        with self.database.session() as session:
            return runs.get(session, run_id)

    def log(self) -> str:
        """What the workers have said."""
        file = self.folder / "worker.log"
        return file.read_text("utf-8", "replace") if file.exists() else ""

    def wait(self, probe: Callable[[], Any], what: str, within_s: float = 45.0) -> Any:
        """What the probe gives once that is true."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if found := probe():
                return found
            time.sleep(0.05)
        pytest.fail(f"not within {within_s:g} s: {what}\n{self.log()[-6000:]}")

    def wait_until_done(self, run_id: str) -> Run:
        """The run, once it is done."""
        self.wait(lambda: self.run(run_id).status not in ("queued", "running"), f"run {run_id} ends")
        run = self.run(run_id)
        assert run.status == "done", (run.status, run.reason, self.log()[-3000:])
        return run

    def wait_until_paid(self, calls: int) -> None:
        """Return once the models have answered so many calls."""
        self.wait(lambda: self.server.ledger.paid >= calls, f"{calls} calls were paid")


@pytest.fixture
def workplace(tmp_path: Path, redis_url: str) -> Iterator[Workplace]:
    """A workplace whose models take 50 ms for a call."""
    with OpenAIServer(latency_s=0.05) as server:
        place = Workplace(tmp_path, redis_url, server)
        yield place
        place.close()


def processes_of(group: int) -> list[int]:
    """Ids of the living processes of a group."""
    found = subprocess.run(["ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in found.splitlines()]
    return [int(pid) for pid, pgid, stat in rows if int(pgid) == group and not stat.startswith("Z")]
