"""A finished training is logged to Vertex AI Experiments when asked for, says so in its log, and is never harmed by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import Experiments, Settings
from app.services import experiments
from app.store.database import Database
from app.store.models import Event
from tests.fakes.serving import ThreadedServer
from tests.web import seed

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


class Metadata(ThreadedServer):
    """The metadata store of Vertex AI: contexts are kept as they are sent, by name. refuse: answer 403."""

    def __init__(self) -> None:
        super().__init__()
        self.contexts: dict[str, Any] = {}
        self.children: list[Any] = []
        self.refuse = False

    def application(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.route("*", "/v1/{path:.*}", self._any)])
        return app

    async def _any(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        body = await request.json() if request.can_read_body else {}
        if self.refuse:
            return _error(403, "Permission 'aiplatform.contexts.get' denied", "PERMISSION_DENIED")
        if path.endswith(":addContextChildren"):
            self.children += body["childContexts"]
        elif request.method == "POST" and path.endswith("/contexts"):
            path = f"{path}/{request.query['contextId']}"
            self.contexts[path] = {**body, "name": path}
        elif request.method == "PATCH":
            self.contexts[path] |= body
        elif "/contexts/" in path and path not in self.contexts:
            return _error(404, "there is none", "NOT_FOUND")
        return web.json_response(self.contexts.get(path, {"name": path}))


def _error(code: int, message: str, status: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message, "status": status}}, status=code)


@pytest.fixture
def google() -> Iterator[Metadata]:
    with Metadata() as server:
        assert isinstance(server, Metadata)
        yield server


def logged(database: Database, run_id: str) -> list[Any]:
    with database.session() as session:
        query = select(Event.data).where(Event.run_id == run_id, Event.name == "log").order_by(Event.id)
        return [data for data in session.scalars(query) if "Experiments" in data.get("text", "")]


def test_a_finished_training_becomes_a_run_of_the_experiment(
    session: Session, database: Database, google: Metadata, tmp_path: Path
) -> None:
    done = seed.fill(session).finished
    settings = Settings(
        data_dir=tmp_path, project_id="p", experiments=Experiments(vertex="whetstone", vertex_location="europe-west4")
    )

    experiments.log(database, done.id, Settings(data_dir=tmp_path), {}, endpoint=google.url)
    assert google.contexts == {}, "off unless it is set"
    experiments.log(database, done.id, settings, {}, endpoint=google.url)

    (run,) = (one for name, one in google.contexts.items() if name.endswith(f"/whetstone-run-{done.id}"))
    assert run["metadata"]["_state"] == "COMPLETE"
    assert run["metadata"]["_params"]["primary_model"] == done.spec["primary"]["name"]
    assert run["metadata"]["_params"]["dataset"] == done.spec["dataset"]["name"]
    assert run["metadata"]["_metrics"]["delta"] == done.outcome["test"]["paired"]["delta"]
    assert all(name.startswith("projects/p/locations/europe-west4/") for name in google.contexts)
    assert google.children == [run["name"]]
    assert [one["level"] for one in logged(database, done.id)] == ["info"]

    google.refuse = True
    experiments.log(database, done.id, settings, {}, endpoint=google.url)
    told = logged(database, done.id)[-1]
    assert told["level"] == "warning"
    assert "Permission" in told["text"]
