"""The form of a comparison on a dataset, its estimate, and the start."""

from __future__ import annotations

import re
import secrets
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core.kinds.compare import PARTS
from app.ports.llm import Json
from app.services import comparison, datasets, runs
from app.services.comparison import FEWEST, FIELDS, MOST, VERSION
from app.services.errors import Conflict, Invalid, NotFound, Problem
from app.web import params
from app.web.comparisons.page import pages
from app.web.context import backend, settings
from app.web.database import session
from app.web.errors import by_field
from app.web.trainings.choices import known_models, library
from app.web.trainings.state import callable_models

ONCE = re.compile("[0-9a-f]{10}")
TITLES = {"test": "test", "validation": "validation", "train": "train", "all": "all rows"}


@dataclass(frozen=True)
class State:
    """values: by field, as text. versions: in their order, "" for a field that is still empty."""

    values: dict[str, str]
    versions: tuple[str, ...]
    name: str = ""
    cloned_from: str = ""
    confirmed: bool = False
    once: str = field(default_factory=lambda: secrets.token_hex(5))

    @property
    def raw(self) -> dict[str, object]:
        """As the service takes it; an empty field keeps its place, so that a problem is shown beside the right one."""
        lines = [line for line in self.values["scorer"].splitlines() if line.strip()]
        return {**self.values, "scorer": lines, VERSION: [one for one in self.versions if one]}


@dataclass(frozen=True)
class Outlook:
    """What a comparison with these settings would take, or what stands against it."""

    spec: Json = None
    estimate: comparison.Estimate | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def costly(self) -> bool:
        """Whether it may cost more than a person has to agree to."""
        most = self.estimate.usd if self.estimate else None
        return most is not None and most > settings().budget.confirm_usd


@pages.get("/new")
def new() -> ResponseReturnValue:
    """The form: with defaults and what the address names, or with the settings of the run named by ?from=."""
    run_id = params.text("from", longest=40)
    state = _cloned(run_id) if run_id else _fresh()
    return _form(state, _outlook(state) if state.values["dataset"] and len(_filled(state)) >= FEWEST else None)


@pages.post("/new")
def start() -> ResponseReturnValue:
    """Start it, or say what stands against it."""
    state = _sent()
    if request.form.get("do") == "add":
        return _form(replace(state, versions=(*state.versions, "")[:MOST]), None)
    outlook = _outlook(state)
    problems = outlook.problems
    if outlook.costly and not state.confirmed:
        problems = (Problem("confirmed", "it may cost more than budget.confirm_usd; tick the box to agree"),)
    if problems:
        return _form(state, outlook, problems)
    source = _source(state)
    run = comparison.start(session(), outlook.spec, name=state.name[:200], cloned_from=source, once=state.once)
    if backend().enqueue(run.id):
        flash("The comparison is queued.", "good")
    else:
        flash("It waits in the database: Redis does not answer. A worker finds it by itself within seconds.", "warn")
    return redirect(url_for("runs.overview", run_id=run.id), 303)


@pages.post("/estimate")
def estimate() -> ResponseReturnValue:
    """The estimate alone, while the form is filled in."""
    state = _sent()
    return render_template("comparisons/parts/estimate.html", outlook=_outlook(state), state=state)


def _outlook(state: State) -> Outlook:
    gateway = backend().gateway
    try:
        with closing(backend().open_tools()) as tools:
            spec = comparison.parse(session(), state.raw, settings=settings(), gateway=gateway, tools=tools)
    except Invalid as error:
        return Outlook(problems=tuple(_placed(problem, state) for problem in error.problems))
    return Outlook(spec, comparison.estimate(session(), spec, gateway=gateway))


def _placed(problem: Problem, state: State) -> Problem:
    """A problem about the n-th version that is filled in, beside its field."""
    name, _, number = problem.field.rpartition("-")
    if name != VERSION:
        return problem if problem.field != VERSION else Problem(f"{VERSION}-0", problem.message)
    return Problem(f"{VERSION}-{_filled(state)[int(number)]}", problem.message)


def _filled(state: State) -> list[int]:
    return [number for number, said in enumerate(state.versions) if said]


def _fresh() -> State:
    values = {name: _shown(value) for name, value in comparison.defaults(settings()).items()}
    primary, _, judge = callable_models()
    values |= {"primary_model": primary, "judge_model": judge}
    asked = {name: params.text(name, longest=400) for name in ("dataset", "part") if request.args.get(name)}
    said = [params.clean(one)[:300] for one in request.args.getlist(VERSION)[:MOST]]
    return State(values | asked, (*said, *("",) * max(0, FEWEST - len(said))))


def _cloned(run_id: str) -> State:
    run = runs.get(session(), run_id)
    if run.kind != "compare":
        raise Conflict(f"run {run_id} is no comparison on a dataset; its settings cannot be taken over here")
    try:
        fields = comparison.of_run(run.spec)
    except (KeyError, TypeError, ValueError):
        raise Conflict("this run's settings are written in another way than today's; they cannot be copied") from None
    versions = fields.pop(VERSION)
    return State({name: _shown(value) for name, value in fields.items()}, tuple(versions), cloned_from=run.id)


def _sent() -> State:
    form = request.form
    values = {name: params.clean(form.get(name, "").replace("\r\n", "\n")) for name in FIELDS}
    said = tuple(params.clean(one)[:300] for one in form.getlist(VERSION)[: MOST + 1])
    once = form.get("once", "")
    about = {"name": params.clean(form.get("name", "")), "cloned_from": params.clean(form.get("from", ""))}
    known = {"once": once} if ONCE.fullmatch(once) else {}
    return State(values, said or ("",) * FEWEST, confirmed=bool(form.get("confirmed")), **about, **known)


def _source(state: State) -> str | None:
    """The run that it was cloned from, if there still is one."""
    try:
        return runs.get(session(), state.cloned_from).id if state.cloned_from else None
    except NotFound:
        return None


def _shown(value: Json) -> str:
    if isinstance(value, list):
        return "\n".join(str(one) for one in value)
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _form(state: State, outlook: Outlook | None, problems: tuple[Problem, ...] = ()) -> ResponseReturnValue:
    known = datasets.list_datasets(session())
    rows = [("", "choose one"), *((one.name, f"{one.name}, {one.rows} rows") for one in known)]
    chosen = state.values["dataset"]
    values: dict[str, Any] = {
        "state": state,
        "v": state.values,
        "datasets": rows if not chosen or chosen in dict(rows) else [*rows, (chosen, f"{chosen} (not here)")],
        "parts": [(part, TITLES[part]) for part in PARTS],
        "prompts": library(),
        "models": known_models(),
        "most": MOST,
        "outlook": outlook,
        "problems": problems,
        "errors": by_field(Invalid(problems)),
    }
    return render_template("comparisons/new.html", **values), 422 if problems else 200
