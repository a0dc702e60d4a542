"""A re-judging from what a person asked to a pinned spec; whatever stands against it is named with its field."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.config import Settings
from app.core import scorers
from app.core.kinds.rejudge import MISSING
from app.core.model import called_as, model_ref
from app.llm.gateway import Gateway
from app.ports.llm import Json
from app.ports.scoring import Tools
from app.services import datasets
from app.services.errors import Conflict, Invalid, NotFound, Problem
from app.services.runs.record import notes
from app.services.training.draft import examined
from app.services.training.form import BLANK, TrainingForm, as_form, read
from app.services.training.models import Chosen
from app.store.models import Dataset, Run

FIELDS = (
    "dataset", "scorer", "judge_model", "judge_api_base", "acceptance", "alpha", "min_improvement", "seed", "missing",
    "budget_usd", "budget_calls", "budget_tokens", "budget_minutes",
)  # fmt: skip
"""What may be asked for; the rest is as it was in the training."""


def defaults(session: Session, run: Run) -> dict[str, Json]:
    """The training's own rules, nothing bought, and the budget without limits."""
    try:
        form = as_form(run.spec)
    except (KeyError, TypeError, ValueError):
        raise Conflict(
            "this run's settings are written in another way than today's; it cannot be judged again"
        ) from None
    dataset = session.get(Dataset, run.dataset_id)
    own = {name: form[name] for name in FIELDS if name in form} | {"dataset": dataset.name if dataset else ""}
    return own | {"missing": "leave"} | {name: None for name in FIELDS if name.startswith("budget_")}


def parse(
    session: Session, run: Run, raw: Mapping[str, object], *, settings: Settings, gateway: Gateway, tools: Tools
) -> Json:
    """The complete, pinned spec of judging a finished training again.

    raw: field name -> value, blank ones meaning what the training had. Raises: Conflict for a run that cannot be judged again;
    Invalid with every problem found.
    """
    _check(run)
    given = {name: value for name, value in raw.items() if value not in BLANK}
    problems = [Problem(name, f"there is no setting called {name}") for name in given if name not in FIELDS]
    asked = defaults(session, run) | {name: value for name, value in given.items() if name in FIELDS}
    missing, dataset = asked.pop("missing"), _version(session, run, str(asked.pop("dataset")), problems)
    form, wrong = read(as_form(run.spec) | asked, settings)
    pinned, more = examined(session, form, _primary(run.spec), settings=settings, gateway=gateway, tools=tools)
    problems += [*wrong, *(one for one in more if one.field not in {known.field for known in wrong})]
    problems += _about_missing(run.spec, pinned, missing)
    if run.imported_at and missing != "leave":
        told = "must be leave for an imported run: nothing is sent to the addresses that it brought along"
        problems.append(Problem("missing", told))
    if problems or dataset is None:
        raise Invalid(problems)
    return _spec(session, run, form, pinned | {"missing": missing, "dataset": dataset})


def _primary(spec: Json) -> Chosen:
    """The model of the training as it was pinned, with the rate that it was called at most."""
    pinned = spec["primary"]
    lane = spec.get("calls", {}).get("lanes", {}).get(pinned["name"]) or {}
    return Chosen(model_ref(pinned), pinned, lane.get("rpm"))


def _check(run: Run) -> None:
    if run.kind != "train":
        raise Conflict(f"run {run.id} is no training; only a finished training can be judged again")
    if run.status != "done":
        raise Conflict(f"run {run.id} is {run.status}; only a finished training can be judged again")
    if not (run.outcome or {}).get("validation"):
        raise Conflict(
            f"run {run.id} ended before its initial prompts were measured, so there is nothing to judge again"
        )


def _version(session: Session, run: Run, name: str, problems: list[Problem]) -> Json:
    """The version to judge on: the training's own, or another one of the same dataset."""
    own = session.get_one(Dataset, run.dataset_id)
    if name == own.name:
        return run.spec["dataset"]
    try:
        found = datasets.get(session, name)
    except NotFound as error:
        problems.append(Problem("dataset", str(error)))
        return None
    if (found.root_id or found.id) != (own.root_id or own.id):
        problems.append(Problem("dataset", f"{found.name} is no version of {own.name}, on which the training was"))
        return None
    return {"id": found.id, "name": found.name, "digest": found.digest}


def _about_missing(spec: Json, pinned: Json, missing: object) -> list[Problem]:
    if missing not in MISSING:
        return [Problem("missing", f"must be one of {', '.join(MISSING)}, not {str(missing)[:40]!r}")]
    same = pinned["scorers"] == spec["scorers"] and called_as(pinned["judge"]) == called_as(spec.get("judge"))
    if missing == "leave" and not same and scorers.judgements(pinned["scorers"]):
        told = "a judge must be asked about every answer; set missing to buy, or choose scorers that ask no model"
        return [Problem("scorer", told)]
    return []


def _spec(session: Session, run: Run, form: TrainingForm, pinned: Json) -> Json:
    history = notes(session, run.id)
    epochs = max((note.data["epoch"] for note in history if note.name == "epoch"), default=0)
    outcome, then = run.outcome, run.spec
    source = {"run": run.id, "name": run.name, "judge": then.get("judge")}
    source |= {name: then[name] for name in ("dataset", "scorers", "acceptance", "alpha", "min_delta", "seed")}
    source |= {name: outcome.get(name) for name in ("verdict", "sentence", "test")}
    source |= {"looks": {name: max(1, (outcome.get("looks") or {}).get(name, 1)) for name in ("validation", "test")}}
    source |= {"final": (outcome.get("final") or {}).get("number")}
    rules = {name: getattr(form, name) for name in ("acceptance", "alpha", "seed")} | {
        "min_delta": form.min_improvement
    }
    limits = {name: getattr(form, f"budget_{name}") for name in ("usd", "calls", "tokens", "minutes")}
    # Every recorded proposal is judged, whether or not the search would have gone on so long under these rules.
    ends = {"epochs": epochs, "patience": epochs + 1}
    # Neither a stop by price nor the shortening of the winner is part of what is judged.
    off = {"stop_above_usd_per_point": None, "shorten": "off"}
    ends |= {name: value for name, value in off.items() if name in then}
    return (
        then
        | pinned
        | rules
        | ends
        | {"optimizer": None, "instructions": "", "prompt": "", "budget": limits, "source": source}
    )
