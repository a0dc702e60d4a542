"""/trainings: what one would take, and starting it. The fields are those of the form and of ``whetstone train``."""

from __future__ import annotations

from contextlib import closing

from flask import Blueprint, Response, url_for

from app import wiring
from app.api import shapes
from app.api.context import answer, backend, body, session, text
from app.api.openapi import describe
from app.ports.llm import Json
from app.services import documents, training
from app.store.models import Run

routes = Blueprint("trainings", __name__, url_prefix="/trainings")


@routes.post("/estimate")
@describe(shapes.Estimate, body=shapes.Training)
def estimate() -> Response:
    """Calls, tokens and US dollars from an early stop to the last epoch. usd is null when a price is unknown.

    adjustments: what the models will be sent otherwise than was asked.
    """
    spec = _spec(body())
    found = documents.values(training.estimate(session(), spec, gateway=wiring.open_llm()))
    return answer({**found, "adjustments": training.adjustments(spec)})


@routes.post("")
@describe(shapes.StartedRun, 201, body=shapes.NamedTraining)
def start() -> Response:
    """Start a training; name is its name. hinted is false when Redis is away: the run then waits in the database."""
    given = body()
    name = _name(given)
    return _started(training.start(session(), _spec(given), name=name))


@routes.post("/plan")
@describe(shapes.StartedRun, 201, body=shapes.NamedTraining)
def plan() -> Response:
    """Start the plan of a training, from the same fields."""
    given = body()
    name = _name(given)
    spec = training.planned(session(), _spec(given), gateway=wiring.open_llm())
    return _started(training.start(session(), spec, kind="plan", name=name))


def _name(given: dict[str, Json]) -> str:
    return text({"name": given.pop("name", "")}, "name")


def _started(run: Run) -> Response:
    hinted = backend().enqueue(run.id)
    document = {**documents.run(run), "hinted": hinted, "adjustments": training.adjustments(run.spec)}
    return answer(document, 201, Location=url_for("api.runs.show", run_id=run.id))


def _spec(given: dict[str, Json]) -> Json:
    settings = backend().settings
    with closing(wiring.open_tools(settings)) as tools:
        return training.parse(session(), given, settings=settings, gateway=wiring.open_llm(), tools=tools)
