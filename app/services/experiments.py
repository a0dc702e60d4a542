"""A finished training, logged besides to Vertex AI Experiments when the operator names one; it never changes the run."""

from __future__ import annotations

from collections.abc import Mapping

from app.config import Settings
from app.llm.checks import project_of
from app.llm.vertex_experiments import NotLogged, Place
from app.llm.vertex_experiments import log as log_to_vertex
from app.ports.llm import Json
from app.services import documents, runs
from app.store.database import Database
from app.store.models import Event, Run

FIGURES = ("baseline", "final", "delta", "p_value", "calls", "tokens", "cost_usd")
"""What of a training's result is a metric, where it is known."""
SETTINGS = ("strategy", "acceptance", "alpha", "epochs", "batch_size", "patience", "repeats", "seed")


def log(database: Database, run_id: str, settings: Settings, environ: Mapping[str, str], *, endpoint: str = "") -> None:
    """Log a finished training, and say so in the run's log. endpoint: in place of Google's own."""
    name = settings.experiments.vertex
    if not name:
        return
    with database.session() as session:
        run = session.get_one(Run, run_id)
        if run.kind != "train":
            return
        result = documents.result(run, runs.totals(session, run_id))
        place = Place(project_of(environ, settings.project_id), settings.experiments.vertex_location, name, endpoint)
        params, metrics = _params(run), _metrics(result)
    try:
        log_to_vertex(place, f"run-{run_id}", params, metrics, environ)
        told = {"level": "info", "text": f"Logged to Vertex AI Experiments as run-{run_id} of {name}"}
    except NotLogged as error:
        told = {"level": "warning", "text": f"Not logged to Vertex AI Experiments: {error}"}
    with database.session() as session:
        session.add(Event(run_id=run_id, name="log", data=told))
        session.commit()


def _params(run: Run) -> dict[str, str | float]:
    spec = run.spec
    said: dict[str, str | float] = {
        name: spec[name] for name in SETTINGS if isinstance(spec.get(name), str | int | float)
    }
    models = {f"{role}_model": spec[role]["name"] for role in ("primary", "optimizer", "judge") if spec.get(role)}
    scorers = ", ".join(one["name"] for one in spec["scorers"])
    more = {"dataset": spec["dataset"]["name"], "prompt": spec["prompt"], "scorers": scorers}
    return said | models | more | {"name": run.name, "simulated": str(run.simulated).lower()}


def _metrics(result: Json) -> dict[str, float]:
    known = {name: result.get(name) for name in FIGURES}
    return {name: float(value) for name, value in known.items() if isinstance(value, int | float)}
