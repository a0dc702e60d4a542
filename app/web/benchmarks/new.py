"""The form of a new benchmark, its estimate, and the start."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.ports.llm import Json, ModelRef
from app.services import benchmarks, datasets, models, prompts, reviews, runs
from app.services.errors import Conflict, Invalid, NotFound, Problem
from app.services.training import adjustments
from app.store.models import Run
from app.web import params
from app.web.benchmarks.page import pages
from app.web.context import backend, settings
from app.web.database import session
from app.web.errors import by_field
from app.web.trainings.choices import known_models
from app.web.trainings.state import callable_models

TEXTS = ("text", "jsonl", "more_models", "scorer")
SINGLE = (
    "name", "first", "dataset", "rows", "review_prompt", "reviewer_model", "runs", "repeats", "temperature",
    "max_output_tokens", "concurrency", "seed", "budget_usd", "budget_calls", "budget_tokens", "budget_minutes", "cache",
    "on_uncertain", *TEXTS,
)  # fmt: skip
LISTS = ("prompts", "models")
FOLDED = ("repeats", "scorer", "temperature", "max_output_tokens", "concurrency", "seed", "cache", "on_uncertain")
ONCE = re.compile("[0-9a-f]{10}")


@dataclass(frozen=True)
class State:
    """What stands in the form. values: by field, as text. chosen: library prompts and configs that are ticked."""

    values: Mapping[str, str]
    chosen: Mapping[str, Sequence[str]]
    cloned_from: str = ""
    confirmed: bool = False
    once: str = field(default_factory=lambda: secrets.token_hex(5))

    def raw(self) -> dict[str, object]:
        """As a benchmark takes it."""
        left_out = ("name", "more_models", "scorer")
        single: dict[str, object] = {key: value for key, value in self.values.items() if key not in left_out}
        named = [*self.chosen["models"], *self.values["more_models"].split()]
        scorers = [line for line in self.values["scorer"].splitlines() if line.strip()]
        return {**single, "prompts": list(self.chosen["prompts"]), "models": named, "scorer": scorers}


@dataclass(frozen=True)
class Outlook:
    """What a benchmark with these settings would take, or what stands against it."""

    spec: Json = None
    estimate: benchmarks.Estimate | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether a model of it is simulated."""
        called = [*self.spec["configs"], *([self.spec["judge"]] if self.spec["judge"] else [])] if self.spec else []
        return any(model["name"].startswith("simulated/") for model in called)

    @property
    def adjusted(self) -> list[tuple[str, str]]:
        """What its models are sent otherwise than was asked: config and words."""
        return [(one["role"], models.in_words(one)) for one in adjustments(self.spec)] if self.spec else []

    @property
    def needs_confirmation(self) -> bool:
        """Whether it may cost more than a person has to agree to."""
        most = self.estimate.usd_high if self.estimate else None
        return most is not None and most > settings().budget.confirm_usd


@pages.get("/new")
def new() -> ResponseReturnValue:
    """The form: with defaults, or with the settings of the benchmark named by ?from=, and another ?review_prompt=."""
    run_id = params.text("from", longest=40)
    state = _cloned(run_id) if run_id else _fresh()
    if wanted := params.text("review_prompt", longest=300):
        state = State({**state.values, "review_prompt": wanted}, state.chosen, state.cloned_from)
    return _form(state, _outlook(state) if run_id else None)


@pages.post("/new")
def start() -> ResponseReturnValue:
    """Start the benchmark, or estimate it for a browser without scripts."""
    state = _sent()
    outlook = _outlook(state)
    problems = outlook.problems
    estimated = outlook.estimate
    if not problems and outlook.needs_confirmation and not state.confirmed and estimated:
        told = f"it may cost up to ${estimated.usd_high or 0:.2f}; tick the box beside the estimate to agree, or set a budget"
        problems = (Problem("confirmed", told),)
    if problems or request.form.get("do") == "estimate":
        return _form(state, outlook, problems)
    run = benchmarks.start(
        session(), outlook.spec, name=state.values["name"], cloned_from=_source(state), once=state.once
    )
    return queued(run)


def queued(run: Run) -> ResponseReturnValue:
    """Hint at the run, and show it."""
    if backend().enqueue(run.id):
        flash("The benchmark is queued.", "good")
    else:
        flash("The benchmark waits in the database: Redis does not answer. A worker finds it within seconds.", "warn")
    return redirect(url_for("runs.overview", run_id=run.id), 303)


@pages.post("/estimate")
def estimate() -> ResponseReturnValue:
    """The estimate alone, while the form is filled in."""
    state = _sent()
    return render_template("benchmarks/parts/estimate.html", outlook=_outlook(state), state=state)


def _outlook(state: State) -> Outlook:
    gateway = backend().gateway
    try:
        with closing(backend().open_tools()) as tools:
            spec = benchmarks.parse(session(), state.raw(), settings=settings(), gateway=gateway, tools=tools)
    except Invalid as error:
        return Outlook(problems=error.problems)
    return Outlook(spec, benchmarks.estimate(spec, gateway=gateway))


def _fresh() -> State:
    usable = backend().gateway.problem(ModelRef(settings().judge_model)) is None
    reviewer = "" if usable else callable_models()[2]
    known = {**benchmarks.defaults(settings()), "runs": 1, "repeats": 1, "reviewer_model": reviewer}
    values = {key: _shown(known.get(key)) for key in SINGLE}
    chosen = [one for one in (params.text("prompt", longest=300),) if one]
    active = [models.PREFIX + config.name for config in models.list_configs(session(), only_active=True)]
    return State(values, {"prompts": chosen, "models": active})


def _cloned(run_id: str) -> State:
    run = runs.get(session(), run_id)
    if run.kind != "benchmark":
        raise NotFound(f"Run {run_id} is no benchmark.")
    form = benchmarks.as_form(run.spec)
    configs = [name for name in form["models"] if models.is_config(name)]
    others = [name for name in form["models"] if not models.is_config(name)]
    shown = {**form, "name": "", "more_models": "\n".join(others), "scorer": "\n".join(form["scorer"])}
    return State(
        {key: _shown(shown.get(key)) for key in SINGLE},
        {"prompts": form["prompts"], "models": configs},
        cloned_from=run.id,
    )


def _sent() -> State:
    form = request.form
    values = {key: params.clean(form.get(key, "").replace("\r\n", "\n")) for key in SINGLE}
    upload = request.files.get("file")
    if upload is not None and upload.filename:
        values["jsonl"] = params.clean(params.uploaded(""))
    chosen = {key: [params.clean(value) for value in form.getlist(key)] for key in LISTS}
    once = form.get("once", "")
    state = State(values, chosen, params.clean(form.get("from", "")), bool(form.get("confirmed")))
    return State(values, chosen, state.cloned_from, state.confirmed, once) if ONCE.fullmatch(once) else state


def _source(state: State) -> str | None:
    try:
        return runs.get(session(), state.cloned_from).id if state.cloned_from else None
    except (NotFound, Conflict):
        return None


def _form(state: State, outlook: Outlook | None, problems: tuple[Problem, ...] = ()) -> ResponseReturnValue:
    errors = by_field(Invalid(problems))
    page = render_template(
        "benchmarks/new.html",
        state=state,
        v=state.values,
        offered=_offered(state),
        outlook=outlook,
        problems=problems,
        errors=errors,
        usual_reviewer=settings().judge_model,
        unfold=any(name in errors for name in FOLDED),
    )
    return page, 422 if problems else 200


def _offered(state: State) -> dict[str, list[tuple[str, str]]]:
    """Everything to choose from, by field: (value, title); the present choices included."""
    known = prompts.list_prompts(session())
    found = [(one.name, one.name) for one in known if one.category not in ("optimizer", "judge", reviews.CATEGORY)]
    configs = [(models.PREFIX + one.name, one.name) for one in models.list_configs(session(), only_active=True)]
    offered = {
        "prompts": _with(found, state.chosen["prompts"]),
        "models": _with(configs, state.chosen["models"]),
        "datasets": [(one.name, f"{one.name}, {one.rows} rows") for one in datasets.list_datasets(session())],
        "reviews": [(one.name, one.name) for one in reviews.list_all(session())],
        "known_models": [(name, name) for name in known_models()],
    }
    for key, name in (("datasets", "dataset"), ("reviews", "review_prompt")):
        value = state.values[name]
        offered[key] = _with(offered[key], [value] if value and value != reviews.NONE else [])
    return offered


def _with(offered: list[tuple[str, str]], chosen: Sequence[str]) -> list[tuple[str, str]]:
    values = {value for value, _ in offered}
    return [*offered, *((one, one.removeprefix(models.PREFIX)) for one in chosen if one not in values)]


def _shown(value: Json) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
