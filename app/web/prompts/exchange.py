"""Prompts that were exported come back in."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.services import prompts
from app.services.errors import Invalid, Problem
from app.store.models import PromptVersion
from app.web import params
from app.web.database import session
from app.web.errors import by_field
from app.web.prompts.page import pages


@pages.route("/import", methods=["GET", "POST"])
def take_in() -> ResponseReturnValue:
    """A file, or its text, as the JSON export wrote it."""
    text, name = request.form.get("text", ""), params.clean(request.form.get("name", ""))
    problems: tuple[Problem, ...] = ()
    if request.method == "POST":
        try:
            made = _imported(text, name)
            flash(f"Imported as {made.prompt.name}, version {made.number}.", "good")
            return redirect(url_for("prompts.show", prompt_id=made.prompt_id), 303)
        except Invalid as error:
            problems = error.problems
    page = render_template(
        "prompts/import.html", text=text, name=name, errors=by_field(Invalid(problems)), problems=problems
    )
    return page, 422 if problems else 200


def _imported(text: str, name: str) -> PromptVersion:
    return prompts.import_json(session(), params.uploaded(text), name=name)
