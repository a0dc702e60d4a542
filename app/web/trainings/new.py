"""The form of a new training, its estimate, and the start."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core.catalog import KINDS
from app.ports.llm import Json
from app.services import access, models, runs, training
from app.services.errors import Conflict, Invalid, NotFound, Problem
from app.web import params
from app.web.context import backend, settings
from app.web.database import session
from app.web.errors import by_field
from app.web.trainings import instructions
from app.web.trainings.choices import offered
from app.web.trainings.data import facts_of
from app.web.trainings.page import pages
from app.web.trainings.state import FOLDED, State, cloned, fresh, rearranged, sent

START, PLAN = "start", "plan"


@dataclass(frozen=True)
class Outlook:
    """What a training with these settings would take, or what stands against it."""

    spec: Json = None
    estimate: training.Estimate | None = None
    problems: tuple[Problem, ...] = field(default=())

    @property
    def simulated(self) -> bool:
        """Whether a model of it is simulated, so that its cost is made up too."""
        models = (self.spec["primary"], self.spec["optimizer"], self.spec["judge"]) if self.spec else ()
        return any(model is not None and model["name"].startswith("simulated/") for model in models)

    @property
    def adjusted(self) -> list[tuple[str, str]]:
        """What its models are sent otherwise than was asked: role and words."""
        return [(one["role"], models.in_words(one)) for one in training.adjustments(self.spec)] if self.spec else []

    @property
    def needs_confirmation(self) -> bool:
        """Whether it may cost more than a person has to agree to."""
        most = self.estimate.usd_high if self.estimate else None
        return most is not None and most > settings().budget.confirm_usd


@pages.get("/new")
def new() -> ResponseReturnValue:
    """The form: with defaults, or with the settings of the run named by ?from=, and another ?split=."""
    run_id = params.text("from", longest=40)
    state = cloned(run_id) if run_id else fresh()
    if split := params.text("split", longest=20):
        state = state.with_values(split=split)
    return form(state, _first_look(state))


@pages.post("/new")
def start() -> ResponseReturnValue:
    """Start the training, or do what the form's button says."""
    state, do = sent(), request.form.get("do", START)
    if do not in (START, PLAN, "estimate"):
        return _changed(state, do)
    outlook = outlook_of(state)
    problems = outlook.problems
    if do == START and not problems and outlook.needs_confirmation and not state.confirmed:
        problems = (Problem("confirmed", expensive(outlook)),)
    if do == START and not problems and (unanswered := _silent(outlook.spec)):
        return form(state, outlook, unanswered, skippable=True)
    if do == "estimate" or problems:
        return form(state, outlook, problems)
    return begin(state, outlook.spec, "plan" if do == PLAN else "train")


def _changed(state: State, do: str) -> ResponseReturnValue:
    """The form after one of its own buttons."""
    try:
        changed = instructions.kept(state) if do == "save-instructions" else rearranged(state, do)
    except Invalid as error:
        return form(state, _first_look(state), error.problems)
    if do == "load-instructions":
        changed = instructions.loaded(state, state.instructions_from)
    return form(changed, _first_look(changed))


def _silent(spec: Json) -> tuple[Problem, ...]:
    """The problems of models that will not answer; those that may yet are only told of."""
    if request.form.get("skip_check") == "1":
        return ()
    found = access.silent(session(), spec, settings().access, backend().check_access)
    try:
        access.refuse(found, "or tick the box to start it all the same")
    except Invalid as error:
        return error.problems
    for one in found:
        flash(f"{one.sentence}. The run tries again by itself.", "warn")
    return ()


def begin(state: State, spec: Json, kind: str) -> ResponseReturnValue:
    """Queue the training, or the plan of it, and show the run."""
    name, source = state.values["name"][:200], _source(state)
    if kind == "plan":
        spec = training.planned(session(), spec, gateway=backend().gateway)
    run = training.start(session(), spec, kind=kind, name=name, cloned_from=source, once=state.once)
    title = KINDS[kind].title.lower()
    if backend().enqueue(run.id):
        flash(f"The {title} is queued.", "good")
    else:
        flash(
            f"The {title} waits in the database: Redis does not answer. A worker finds it by itself within seconds.",
            "warn",
        )
    return redirect(url_for("runs.overview", run_id=run.id), 303)


@pages.post("/estimate")
def estimate() -> ResponseReturnValue:
    """The estimate alone, while the form is filled in."""
    state = sent()
    return render_template(
        "trainings/parts/estimate.html", outlook=outlook_of(state), state=state, limit=settings().budget
    )


def _first_look(state: State) -> Outlook | None:
    """The outlook as soon as there is a dataset; before that, everything would only be missing."""
    return outlook_of(state) if state.values["dataset"] else None


def outlook_of(state: State) -> Outlook:
    """What the training would take, or what stands against it."""
    try:
        raw, problems = state.raw()
    except (NotFound, Conflict) as error:
        return Outlook(problems=(Problem("dataset", str(error)),))
    try:
        with closing(backend().open_tools()) as tools:
            spec = training.parse(session(), raw, settings=settings(), gateway=backend().gateway, tools=tools)
    except Invalid as error:
        return Outlook(problems=(*problems, *error.problems))
    if problems:
        return Outlook(problems=tuple(problems))
    return Outlook(spec, training.estimate(session(), spec, gateway=backend().gateway))


def expensive(outlook: Outlook) -> str:
    """Why a person has to agree first."""
    most = outlook.estimate.usd_high if outlook.estimate else None
    return f"it may cost up to ${most:.2f}; tick the box beside the estimate to agree, or set a budget"


def _source(state: State) -> str | None:
    """The run that it was cloned from, if there still is one."""
    try:
        return runs.get(session(), state.cloned_from).id if state.cloned_from else None
    except NotFound:
        return None


def form(
    state: State, outlook: Outlook | None = None, problems: tuple[Problem, ...] = (), *, skippable: bool = False
) -> ResponseReturnValue:
    """The page of the form. skippable: nothing stands against it but that a model did not answer."""
    errors = by_field(Invalid(problems))
    page = render_template(
        "trainings/new.html",
        state=state,
        v=state.values,
        choices=offered(state),
        outlook=outlook,
        limit=settings().budget,
        problems=problems,
        skippable=skippable,
        errors=errors,
        offer=instructions.offer(state.values["strategy"]),
        facts=facts_of(state.values["dataset"]),
        unfold=any(name in errors for name in FOLDED),
    )
    return page, 422 if problems else 200
