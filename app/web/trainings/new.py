"""The form of a new training, its estimate, and the start."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.ports.llm import Json
from app.services import models, runs, training
from app.services.errors import Conflict, Invalid, NotFound, Problem
from app.web import params
from app.web.context import backend, settings
from app.web.database import session
from app.web.errors import by_field
from app.web.trainings.choices import offered
from app.web.trainings.page import pages
from app.web.trainings.state import FOLDED, State, cloned, fresh, rearranged, sent

START = "start"


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
    """The form: with defaults, or with the settings of the run named by ?from=."""
    run_id = params.text("from", longest=40)
    state = cloned(run_id) if run_id else fresh()
    return _form(state, _first_look(state))


@pages.post("/new")
def start() -> ResponseReturnValue:
    """Start the training, or do what the form's button says."""
    state, do = sent(), request.form.get("do", START)
    if do not in (START, "estimate"):
        changed = rearranged(state, do)
        return _form(changed, _first_look(changed))
    outlook = _outlook(state)
    problems = outlook.problems
    if do == START and not problems and outlook.needs_confirmation and not state.confirmed:
        problems = (Problem("confirmed", _expensive(outlook)),)
    if do != START or problems:
        return _form(state, outlook, problems)
    run = training.start(
        session(), outlook.spec, name=state.values["name"][:200], cloned_from=_source(state), once=state.once
    )
    if backend().enqueue(run.id):
        flash("The training is queued.", "good")
    else:
        flash(
            "The training waits in the database: Redis does not answer. A worker finds it by itself within seconds.",
            "warn",
        )
    return redirect(url_for("runs.overview", run_id=run.id), 303)


@pages.post("/estimate")
def estimate() -> ResponseReturnValue:
    """The estimate alone, while the form is filled in."""
    state = sent()
    return render_template(
        "trainings/parts/estimate.html", outlook=_outlook(state), state=state, limit=settings().budget
    )


def _first_look(state: State) -> Outlook | None:
    """The outlook as soon as there is a dataset; before that, everything would only be missing."""
    return _outlook(state) if state.values["dataset"] else None


def _outlook(state: State) -> Outlook:
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


def _expensive(outlook: Outlook) -> str:
    most = outlook.estimate.usd_high if outlook.estimate else None
    return f"it may cost up to ${most:.2f}; tick the box beside the estimate to agree, or set a budget"


def _source(state: State) -> str | None:
    """The run that it was cloned from, if there still is one."""
    try:
        return runs.get(session(), state.cloned_from).id if state.cloned_from else None
    except NotFound:
        return None


def _form(state: State, outlook: Outlook | None = None, problems: tuple[Problem, ...] = ()) -> ResponseReturnValue:
    errors = by_field(Invalid(problems))
    page = render_template(
        "trainings/new.html",
        state=state,
        v=state.values,
        choices=offered(state),
        outlook=outlook,
        limit=settings().budget,
        problems=problems,
        errors=errors,
        unfold=bool(state.values["instructions"]) or any(name in errors for name in FOLDED),
    )
    return page, 422 if problems else 200
