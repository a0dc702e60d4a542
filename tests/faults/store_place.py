"""A data folder, a database and a provider that counts; runs on them are driven by processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from app.config import ROOT, Settings
from app.llm.gateway import Gateway
from app.ports.journal import Totals
from app.services import datasets, runs, training
from app.services.drive import drive
from app.services.machine import Machine
from app.store.database import Database
from app.store.models import Run
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.serving import Ledger

LEASE_S, SWEEP_S = 3.0, 0.5
CONCURRENCY = 4
DRIVE = "import sys; from app import wiring; print(wiring.drive(sys.argv[1]))"


class Place:
    """url: the database as processes reach it; own_url: as the test does, past any proxy."""

    def __init__(self, folder: Path, server: OpenAIServer, url: str = "", own_url: str = "") -> None:
        self.folder = folder
        self.server = server
        self.url = url or f"sqlite:///{folder}/app.db"
        self.environ: dict[str, str] = {}
        self.database = Database(own_url or self.url)
        self.processes: list[subprocess.Popen[bytes]] = []
        folder.mkdir(parents=True, exist_ok=True)
        server.ledger = Ledger()

    def queue(self, **changes: Any) -> str:
        """A queued training."""
        settings = Settings(data_dir=self.folder)
        base = self.server.url + "/v1"
        form = {
            "system_prompt": "Classify the message.",
            "primary_model": "openai/rule",
            "optimizer_model": "openai/proposer",
            "api_base": base,
            "optimizer_api_base": base,
            "strategy": "full_rewrite",
            "epochs": 3,
            "concurrency": CONCURRENCY,
            "seed": 8,
            **changes,
        }
        with self.database.session() as session:
            form["dataset"] = datasets.import_sample(session, "support_intents.csv").name
            return training.start(
                session, training.parse(session, form, settings=settings, gateway=Gateway(settings, {}))
            ).id

    def environment(self) -> dict[str, str]:
        """What every process of this place is started with."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("WHETSTONE_")}
        own = {
            "WHETSTONE_DATA_DIR": str(self.folder),
            "WHETSTONE_DATABASE_URL": self.url,
            "WHETSTONE_DISK_MIN_MB": "0",
            "WHETSTONE_LEASE_S": str(LEASE_S),
            "WHETSTONE_SWEEP_S": str(SWEEP_S),
        }
        return clean | own | self.environ

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """A process in a session of its own that ends with the test."""
        with (self.folder / "processes.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment(), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.processes.append(process)
        return process

    def driver(self, run_id: str) -> subprocess.Popen[bytes]:
        """A process that drives one run once, as a worker does."""
        return self.start(sys.executable, "-c", DRIVE, run_id)

    def worker(self, redis_url: str) -> subprocess.Popen[bytes]:
        """The worker that people start."""
        self.environ |= {"REDIS_URL": redis_url, "REMAP_SIGTERM": "SIGQUIT"}
        return self.start(sys.executable, "-m", "celery", "-A", "worker", "worker", "--without-mingle")

    def drive(self, run_id: str, **machine: Any) -> str:
        """Drive the run in this process."""
        settings = Settings(data_dir=self.folder, disk_min_mb=0, database_url=self.url)
        with Database(self.url) as database:
            return drive(
                run_id,
                database=database,
                open_llm=lambda: Gateway(settings, {}),
                owner="place:0",
                lease_s=LEASE_S,
                machine=Machine.of(settings, database.engine),
            )

    def run(self, run_id: str) -> Run:
        """The run as it is now."""
        with self.database.session() as session:
            return runs.get(session, run_id)

    def totals(self, run_id: str) -> Totals:
        """What the run says it has spent."""
        with self.database.session() as session:
            return runs.totals(session, run_id)

    @property
    def paid(self) -> int:
        """What the provider was paid for."""
        return self.server.ledger.paid

    @property
    def spooled(self) -> int:
        """Answers that wait in this place."""
        return sum(Machine(spool=self.folder / "spool").waiting().values())

    def log(self) -> str:
        """What the processes have said."""
        file = self.folder / "processes.log"
        return file.read_text("utf-8", "replace") if file.exists() else ""

    def wait(self, probe: Callable[[], Any], what: str, within_s: float = 60.0) -> float:
        """Seconds until the probe was true."""
        began = time.monotonic()
        while time.monotonic() - began < within_s:
            if probe():
                return time.monotonic() - began
            time.sleep(0.05)
        pytest.fail(f"not within {within_s:g} s: {what}\n{self.log()[-6000:]}")

    def wait_until_paid(self, calls: int) -> None:
        """Return once the models have answered so many calls."""
        self.wait(lambda: self.paid >= calls, f"{calls} calls were paid")

    def wait_until_free(self, run_id: str) -> None:
        """Return once a dead worker's lease has ended."""
        from app.store import claims

        self.wait(lambda: run_id in claims.abandoned(self.database), "the lease ends", 20)

    def wait_until_done(self, run_id: str, within_s: float = 90.0) -> float:
        """Seconds until the run was done."""
        seconds = self.wait(lambda: self.run(run_id).status not in ("queued", "running"), "the run ends", within_s)
        run = self.run(run_id)
        assert run.status == "done", (run.status, run.reason, self.log()[-3000:])
        return seconds

    def record(self, run_id: str) -> str:
        """Outcome and history as text to compare."""
        with self.database.session() as session:
            run = session.get_one(Run, run_id)
            assert run.status == "done", (run.status, run.reason)
            history = [[e.note, e.name, e.data] for e in runs.notes(session, run_id)]
            return json.dumps([run.outcome, history], sort_keys=True)

    def assert_bill(self, *run_ids: str) -> None:
        """The provider's count lies in the interval that the runs report."""
        totals = [self.totals(run_id) for run_id in run_ids]
        confirmed = sum(one.calls for one in totals)
        assert confirmed <= self.paid <= confirmed + sum(one.uncertain_calls for one in totals)

    def close(self) -> None:
        """End every process."""
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.database.close()


@contextmanager
def place(folder: Path, server: OpenAIServer, url: str = "", own_url: str = "") -> Iterator[Place]:
    """A place with its tables, and its processes ended afterwards."""
    here = Place(folder, server, url, own_url)
    try:
        here.database.upgrade()
        yield here
    finally:
        here.close()


@pytest.fixture(scope="session")
def counting() -> Iterator[OpenAIServer]:
    """One provider for all places; a call takes 50 ms."""
    with OpenAIServer(latency_s=0.05) as server:
        assert isinstance(server, OpenAIServer)
        yield server


@pytest.fixture(scope="session")
def undisturbed(counting: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, int]:
    """Record and number of calls of the training when nothing happens."""
    with place(tmp_path_factory.mktemp("undisturbed"), counting) as here:
        run_id = here.queue()
        assert here.drive(run_id) == "done"
        return here.record(run_id), here.paid
