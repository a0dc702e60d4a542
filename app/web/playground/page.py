"""The blueprint of the playground, and what its pages share."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, url_for

from app.services import playground, runs
from app.services.errors import NotFound
from app.store.models import Run
from app.web.database import session
from app.web.live import ENDED
from app.web.unattended import why_unattended

pages = Blueprint("playground", __name__, url_prefix="/playground")

AT_REST = ENDED | {"paused", ""}
"""Statuses in which nothing more comes by itself."""


def get(run_id: str) -> Run:
    """The try, or NotFound."""
    run = runs.get(session(), run_id)
    if run.kind != "try":
        raise NotFound(f"Run {run_id[:40]} is no try of the playground.")
    return run


def told(run: Run) -> dict[str, Any]:
    """What the templates say about the answers."""
    return {
        "run": run,
        "cards": playground.cards(session(), run),
        "live": run.status not in AT_REST,
        "unattended": why_unattended() if run.status == "queued" else "",
        "benchmark": _benchmark(run),
    }


def _benchmark(run: Run) -> str:
    """Where the same prompt and configs become a benchmark; "" while there is no such page."""
    if "benchmarks.new" not in current_app.view_functions:
        return ""
    asked = run.spec["asked"]
    configs = [model["config"]["name"] for model in run.spec["models"] if model.get("config")]
    return url_for("benchmarks.new", prompt=asked["prompt"] or None, config=configs or None)
