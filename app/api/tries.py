"""/tries: one input, several models side by side. The fields are those of the page and of ``whetstone try``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, url_for

from app.api.context import answer, backend, body, session, text
from app.api.openapi import describe
from app.api.shapes import Dataset, StartedRun
from app.api.shapes.tries import KeptExample, Tried, Try, TryEstimate
from app.ports.llm import Json
from app.services import documents, playground, runs
from app.services.errors import NotFound
from app.store.models import Run

routes = Blueprint("tries", __name__, url_prefix="/tries")


@routes.post("/estimate")
@describe(TryEstimate, body=Try)
def estimate() -> Response:
    """What a try may take at most. usd_high leaves out the models of unpriced, whose price is unknown."""
    spec, _ = _parsed(body())
    found = playground.estimate(spec, backend().gateway)
    return answer({**documents.values(found), "adjustments": _adjustments(spec)})


@routes.post("")
@describe(StartedRun, 201, body=Try)
def start() -> Response:
    """Ask the models. hinted is false when Redis is away: the run then waits in the database."""
    spec, prompt_id = _parsed(body())
    run = playground.start(session(), spec, prompt_id=prompt_id)
    hinted = backend().enqueue(run.id)
    document = {**documents.run(run), "hinted": hinted, "adjustments": _adjustments(spec)}
    return answer(document, 201, Location=url_for("api.tries.show", run_id=run.id))


@routes.get("/<run_id>")
@describe(Tried)
def show(run_id: str) -> Response:
    """The answers as far as they have come, each with what it took."""
    run = _get(run_id)
    return answer(documents.tried(run, playground.cards(session(), run), runs.totals(session(), run.id)))


@routes.post("/<run_id>/example")
@describe(Dataset, 201, body=KeptExample)
def example(run_id: str) -> Response:
    """Keep the input with the answer that is right: dataset (an old one gets a new version, a new one is made), answer."""
    run = _get(run_id)
    given = body()
    name, right = text(given, "dataset"), text(given, "answer")
    saved = playground.save_example(session(), name, text=run.spec["asked"]["input"], answer=right)
    return answer(documents.dataset(saved), 201)


def _get(run_id: str) -> Run:
    run = runs.get(session(), run_id)
    if run.kind != "try":
        raise NotFound(f"run {run_id[:40]} is no try")
    return run


def _parsed(given: dict[str, Any]) -> tuple[Json, int | None]:
    return playground.parse(session(), given, settings=backend().settings, gateway=backend().gateway)


def _adjustments(spec: Json) -> list[Json]:
    return [{"model": one["name"], **line} for one in spec["models"] for line in one.get("adjustments", ())]
