"""From a plan to its training: one click, unless something stands against it or a person has to agree to the price."""

from __future__ import annotations

from dataclasses import replace

from flask import request
from flask.typing import ResponseReturnValue

from app.services import runs
from app.services.errors import Problem
from app.web.database import session
from app.web.trainings.new import begin, expensive, form, outlook_of
from app.web.trainings.page import pages
from app.web.trainings.state import ONCE, cloned


@pages.post("/from/<run_id>")
def start_planned(run_id: str) -> ResponseReturnValue:
    """Start the training that a plan was made for; the form with what is wrong when it cannot start as it is."""
    state, once = cloned(run_id), request.form.get("once", "")
    state = replace(state, once=once) if ONCE.fullmatch(once) else state
    outlook = outlook_of(state)
    problems = outlook.problems
    if not problems and outlook.needs_confirmation:
        problems = (Problem("confirmed", expensive(outlook)),)
    if (
        problems or runs.get(session(), run_id).imported_at
    ):  # what came from elsewhere is looked at before it is started
        return form(state, outlook, problems)
    return begin(state, outlook.spec, "train")
