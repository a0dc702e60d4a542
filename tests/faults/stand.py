"""A training driven in this process, over the real gateway, from a fake provider that fails on demand and counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.config import Settings
from app.llm.gateway import Gateway
from app.services import runs, training
from app.services.drive import drive
from app.store.database import Database
from app.store.models import Run
from tests.fakes.openai_server import OpenAIServer
from tests.faults.kinds import dataset

CALLS = {"deadline_s": 30.0, "retries": 4, "backoff_s": 0.01, "max_wait_s": 0.2, "circuit_failures": 8}


class Stand:
    """A database and a provider, and trainings that go from one to the other."""

    def __init__(self, url: str, server: OpenAIServer) -> None:
        self.database = Database(url)
        self.server = server
        self.settings = Settings(database_url=url, calls=CALLS)  # type: ignore[arg-type]

    def queue(self, **changes: Any) -> str:
        """A queued training. calls: other settings of its calls."""
        settings = self.settings.model_copy(
            update={"calls": self.settings.calls.model_copy(update=changes.pop("calls", {}))}
        )
        base = self.server.url + "/v1"
        form = {
            "system_prompt": "Classify the message.",
            "primary_model": "openai/rule",
            "optimizer_model": "openai/proposer",
            "api_base": base,
            "optimizer_api_base": base,
            "strategy": "full_rewrite",
            "split": "50/30/20",
            "epochs": 3,
            "batch_size": 8,
            "concurrency": 4,
            "seed": 8,
            "cache": "off",
        }
        with self.database.session() as session:
            form["dataset"] = dataset(session)
            spec = training.parse(session, form | changes, settings=settings, gateway=Gateway(settings, {}))
            return training.start(session, spec).id

    def drive(self, run_id: str) -> str:
        """Work on a run as a worker does. Returns its status."""
        return drive(
            run_id,
            database=self.database,
            open_llm=lambda: Gateway(self.settings, {}),
            owner="stand:0",
            lease_s=20,
        )

    def done(self, **changes: Any) -> str:
        """A training that was driven to its end."""
        run_id = self.queue(**changes)
        assert self.drive(run_id) == "done", self.run(run_id).reason
        return run_id

    def run(self, run_id: str) -> Run:
        """The run as it is now."""
        with self.database.session() as session:
            return runs.get(session, run_id)

    def wish(self, ask: Callable[..., object], run_id: str) -> None:
        """Ask something of a run: runs.request_pause, request_cancel or request_resume."""
        with self.database.session() as session:
            ask(session, run_id)

    def close(self) -> None:
        """Let the database go."""
        self.database.close()
