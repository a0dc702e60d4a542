"""The try-it panel of a prompt: one input through one model, answered on the spot; an unsaved draft is tried as it stands."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.services.errors import Invalid, Problem
from app.store.models import Run
from app.web.errors import by_field, is_fragment
from app.web.playground.page import pages, told
from app.web.playground.show import asked, form
from app.web.playground.state import State, defaults, sent


@pages.post("/panel")
def panel() -> ResponseReturnValue:
    """Ask, and show the answer in the panel's place; without scripts the playground shows it."""
    problems: tuple[Problem, ...] = ()
    run: Run | None = None
    try:
        state = sent()
        run, problems = asked(state)
    except Invalid as error:
        state, problems = State(defaults()), error.problems
    if not is_fragment():
        return (
            form(state, problems=problems) if run is None else redirect(url_for("playground.show", run_id=run.id), 303)
        )
    values: dict[str, object] = told(run) if run else {"run": None}
    values["missing"] = [name for name in state.texts().variables if name not in state.variables] if problems else []
    page = render_template(
        "playground/parts/tried.html", problems=problems, errors=by_field(Invalid(problems)), **values
    )
    return page, 422 if problems else 200
