"""Benchmarks: prompts asked of several configs, their answers compared by a reviewer and by people."""

from __future__ import annotations

import secrets

from sqlalchemy.orm import Session

from app.ports.llm import Json
from app.services.benchmarks.draft import parse
from app.services.benchmarks.estimate import Estimate, estimate
from app.services.benchmarks.form import BenchmarkForm, as_form, defaults
from app.services.errors import Conflict
from app.services.runs.lookup import add_once
from app.store.models import Run

__all__ = ["BenchmarkForm", "Estimate", "as_form", "defaults", "estimate", "parse", "review_again", "start"]


def start(session: Session, spec: Json, *, name: str = "", cloned_from: str | None = None, once: str = "") -> Run:
    """Queue a benchmark. Enqueue its id after this returns: the row is committed by then.

    once: an id for the run, made when its form was made: the same form sent twice gives the same run.
    """
    known = session.get(Run, once) if once else None
    if known and known.kind == "benchmark" and known.spec == spec:
        return known
    called = [*spec["configs"], *([spec["judge"]] if spec["judge"] else [])]
    run = Run(
        id=once if once and not known else secrets.token_hex(5),
        kind="benchmark",
        name=(name or _name(spec))[:200],
        status="queued",
        spec=spec,
        simulated=any(model["name"].startswith("simulated/") for model in called),
        dataset_id=spec["dataset"]["id"],
        cloned_from=cloned_from,
    )
    return add_once(session, run, once)


def _name(spec: Json) -> str:
    cases, configs = len(spec["cases"]), len(spec["configs"])
    prompts = spec["cases"][0]["name"] if cases == 1 else f"{cases} prompts"
    return f"{prompts} with {configs} config{'s' if configs != 1 else ''}"


def review_again(run: Run, **changes: Json) -> dict[str, Json]:
    """The form of the same benchmark under another review; answers that were bought with the cache on cost nothing again.

    changes: review_prompt, reviewer_model. Raises: Conflict for a run of another kind.
    """
    if run.kind != "benchmark":
        raise Conflict(f"run {run.id} is no benchmark, so there are no answers to review")
    return as_form(run.spec) | {"cache": "reuse"} | {name: value for name, value in changes.items() if value}
