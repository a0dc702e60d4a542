"""A training from what a person typed to a queued run: every problem is named before anything is spent."""

from __future__ import annotations

import secrets

from sqlalchemy.orm import Session

from app.ports.llm import Json
from app.services import prompts
from app.services.errors import NotFound
from app.services.runs.lookup import add_once
from app.services.training.draft import parse
from app.services.training.estimate import Estimate, estimate
from app.services.training.form import TrainingForm, as_form, defaults
from app.services.training.meanings import MEANINGS
from app.services.training.models import adjustments
from app.services.training.planning import planned
from app.store.models import Prompt, Run

__all__ = [
    "MEANINGS",
    "Estimate",
    "TrainingForm",
    "adjustments",
    "as_form",
    "defaults",
    "estimate",
    "parse",
    "planned",
    "start",
]


def start(
    session: Session, spec: Json, *, kind: str = "train", name: str = "", cloned_from: str | None = None, once: str = ""
) -> Run:
    """Queue a run for the spec. Enqueue its id after this returns: the row is committed by then.

    kind: "train", or "plan" with a spec of planned(). once: an id for the run, made when its form was made. The same form sent
    twice then gives the same run; with other settings it gives another one.
    """
    known = session.get(Run, once) if once else None
    if known and known.kind == kind and {**spec, "prompt": known.spec["prompt"]} == known.spec:
        return known
    prompt = _prompt(session, spec, new=kind == "train")
    prompt_name = prompt.name if prompt else spec["prompt"]
    models = [spec["primary"], spec["optimizer"], spec.get("judge")]
    run = Run(
        id=once if once and not known else secrets.token_hex(5),
        kind=kind,
        name=name or _name(kind, prompt_name, spec["dataset"]["name"]),
        status="queued",
        spec=spec | {"prompt": prompt_name},
        simulated=any(m and m["name"].startswith("simulated/") for m in models),
        dataset_id=spec["dataset"]["id"],
        prompt_id=prompt.id if prompt else None,
        cloned_from=cloned_from,
    )
    return add_once(session, run, once)


def _prompt(session: Session, spec: Json, *, new: bool) -> Prompt | None:
    """The run's prompt of the library; when there is none, a new one or None."""
    name = spec["prompt"] or (prompts.free_name(session, spec["dataset"]["name"]) if new else "")
    try:
        return prompts.get(session, name) if name else None
    except NotFound:
        if not new:
            return None
        return prompts.create(
            session,
            name,
            kind="pair",
            system_prompt=spec["system_prompt"],
            output_prompt=spec["output_prompt"],
            description=f"Trained on {spec['dataset']['name']}",
        )


def _name(kind: str, prompt: str, dataset: str) -> str:
    if kind == "plan":
        return f"Plan: {prompt} on {dataset}" if prompt else f"Plan: {dataset}"
    return f"{prompt} on {dataset}"
