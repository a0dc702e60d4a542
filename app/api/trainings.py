"""/trainings: what one would take, and starting it. The fields are those of the form and of ``whetstone train``."""

from __future__ import annotations

from contextlib import closing

from flask import Blueprint, Response, url_for

from app import wiring
from app.api import shapes
from app.api.context import answer, backend, body, session, text
from app.api.openapi import describe
from app.api.shapes import providers as of_providers
from app.ports.llm import Json
from app.services import access, documents, training
from app.services.errors import Invalid, Problem
from app.store.models import Run

routes = Blueprint("trainings", __name__, url_prefix="/trainings")


@routes.post("/estimate")
@describe(shapes.Estimate, body=shapes.Training)
def estimate() -> Response:
    """Calls, tokens and US dollars from an early stop to the last epoch. usd is null when a price is unknown.

    adjustments: what the models will be sent otherwise than was asked.
    """
    spec = _spec(body())
    found = documents.values(training.estimate(session(), spec, gateway=backend().gateway))
    return answer({**found, "adjustments": training.adjustments(spec)})


@routes.post("")
@describe(shapes.StartedRun, 201, body=of_providers.CheckedTraining)
def start() -> Response:
    """Start a training; name is its name. hinted is false when Redis is away: the run then waits in the database.

    skip_check: true does not ask first whether its models answer.
    """
    given = body()
    name, skip = _name(given), given.pop("skip_check", False)
    if not isinstance(skip, bool):
        raise Invalid([Problem("skip_check", "must be true or false")])
    spec = _spec(given)
    if not skip:
        found = access.silent(session(), spec, backend().settings.access, backend().check_access)
        access.refuse(found, "skip_check: true starts it all the same")
    return _started(training.start(session(), spec, name=name))


@routes.post("/plan")
@describe(shapes.StartedRun, 201, body=shapes.NamedTraining)
def plan() -> Response:
    """Start the plan of a training, from the same fields."""
    given = body()
    name = _name(given)
    spec = training.planned(session(), _spec(given), gateway=backend().gateway)
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
        return training.parse(session(), given, settings=settings, gateway=backend().gateway, tools=tools)
