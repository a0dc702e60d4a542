"""The form of the playground, the answers side by side, and what becomes of one that is liked."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.ports.llm import Json
from app.services import datasets, models, playground, prompts, runs
from app.services.errors import Conflict, Invalid, NotFound, Problem
from app.store.models import Run
from app.web import params
from app.web.context import backend, settings
from app.web.database import session
from app.web.errors import by_field
from app.web.playground.page import get, pages, told
from app.web.playground.state import State, defaults, fresh, loaded, of_run, sent
from app.web.trying import offered_models

RECENT = 8


@dataclass(frozen=True)
class Outlook:
    """What a try with this form would take, or what stands against it."""

    spec: Json = None
    prompt_id: int | None = None
    estimate: playground.Estimate | None = None
    problems: tuple[Problem, ...] = field(default=())

    @property
    def needs_confirmation(self) -> bool:
        """Whether it may cost more than a person has to agree to."""
        return self.estimate is not None and self.estimate.usd_high > settings().budget.confirm_usd


@pages.get("")
def index() -> ResponseReturnValue:
    """The empty form; ?prompt=, ?model= and ?config= fill it in."""
    try:
        state = fresh()
    except NotFound as missing:
        return form(State(defaults()), problems=(Problem("prompt", str(missing)),))
    return form(state)


@pages.post("")
def start() -> ResponseReturnValue:
    """Ask the models, or do what the form's button says."""
    try:
        state = sent()
    except Invalid as error:
        return form(State(defaults()), problems=error.problems)
    if request.form.get("do") == "load":
        return _load(state)
    run, problems = asked(state)
    return form(state, problems=problems) if run is None else redirect(_place(run), 303)


def asked(state: State) -> tuple[Run | None, tuple[Problem, ...]]:
    """The run that asks the models, handed to a worker; or None, and what stands against it."""
    outlook = outlook_of(state)
    if outlook.problems:
        return None, outlook.problems
    if outlook.needs_confirmation and not state.confirmed:
        most = outlook.estimate.usd_high if outlook.estimate else 0.0
        return None, (Problem("confirmed", f"it may cost up to ${most:.2f}; tick the box to agree"),)
    run = playground.start(session(), outlook.spec, prompt_id=outlook.prompt_id, once=state.once)
    backend().enqueue(run.id)
    return run, ()


def outlook_of(state: State) -> Outlook:
    """What the try would take, or what stands against it."""
    gateway = backend().gateway
    try:
        spec, prompt_id = playground.parse(session(), state.raw(), settings=settings(), gateway=gateway)
    except Invalid as error:
        return Outlook(problems=error.problems)
    return Outlook(spec, prompt_id, playground.estimate(spec, gateway))


def _load(state: State) -> ResponseReturnValue:
    try:
        return form(loaded(state, params.clean(request.form.get("load", ""))))
    except NotFound as missing:
        return form(state, problems=(Problem("load", str(missing)),))


def _place(run: Run) -> str:
    return url_for("playground.show", run_id=run.id, _anchor="answers")


@pages.post("/estimate")
def estimate() -> ResponseReturnValue:
    """The estimate alone, while the form is filled in."""
    try:
        state = sent()
    except Invalid as error:
        return render_template("playground/parts/estimate.html", outlook=Outlook(problems=error.problems), state=None)
    return render_template("playground/parts/estimate.html", **_outlook(state))


def _outlook(state: State) -> dict[str, object]:
    outlook = outlook_of(state)
    words = playground.in_words(outlook.estimate) if outlook.estimate else ""
    adjusted = [
        f"{pinned['name']}: {models.in_words(one)}"
        for pinned in (outlook.spec or {"models": ()})["models"]
        for one in pinned.get("adjustments", ())
    ]
    return {"outlook": outlook, "state": state, "words": words, "adjusted": adjusted}


@pages.get("/<run_id>")
def show(run_id: str) -> ResponseReturnValue:
    """A try: its form, to change and send again, and its answers."""
    run = get(run_id)
    return form(of_run(run), run)


@pages.get("/<run_id>/answers")
def answers(run_id: str) -> ResponseReturnValue:
    """The answers alone, as they are now."""
    return render_template("playground/parts/answers.html", **told(get(run_id)))


@pages.get("/<run_id>/cards/<int:number>")
def card(run_id: str, number: int) -> ResponseReturnValue:
    """One model's answer alone, as it is now."""
    run = get(run_id)
    found = playground.card(session(), run, number)
    if found is None:
        raise NotFound(f"This try has no model {number}.")
    return render_template("playground/parts/card.html", card=found, run=run)


@pages.post("/<run_id>/stop")
def stop(run_id: str) -> ResponseReturnValue:
    """End a try; answers that are there are kept."""
    run = get(run_id)
    try:
        runs.request_cancel(session(), run_id)
    except Conflict as over:
        flash(str(over))
    return redirect(_place(run), 303)


@pages.post("/<run_id>/example")
def example(run_id: str) -> ResponseReturnValue:
    """Keep the input with the answer that is right as an example."""
    run = get(run_id)
    name = params.clean(request.form.get("dataset", ""))
    answer = request.form.get("answer", "").replace("\r\n", "\n")
    try:
        saved = playground.save_example(session(), name, text=run.spec["asked"]["input"], answer=answer)
    except Invalid as error:
        return form(of_run(run), run, error.problems)
    flash(f"The example is in {saved.name}, row {saved.rows}.", "good")
    return redirect(_place(run), 303)


def form(state: State, run: Run | None = None, problems: tuple[Problem, ...] = ()) -> ResponseReturnValue:
    """The page: the form, the answers of a run when there is one, and the latest tries."""
    texts = state.texts()
    page = render_template(
        "playground/index.html",
        v=state.values,
        texts=texts,
        known=offered_models(),
        prompts=_prompts(),
        datasets=[one.name for one in datasets.list_datasets(session(), limit=100)],
        recent=[one for one in runs.list_runs(session(), kind="try", limit=RECENT) if run is None or one.id != run.id],
        problems=problems,
        errors=by_field(Invalid(problems)),
        **_outlook(state),
        **(told(run) if run else {"run": None}),
    )
    return page, 422 if problems else 200


def _prompts() -> list[tuple[str, str]]:
    known = [p for p in prompts.list_prompts(session(), limit=200) if p.category not in ("optimizer", "judge")]
    return [(one.name, one.name) for one in known]
