"""Prompts come in, from here and from other tools."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.services import prompts
from app.services.errors import Invalid, Problem
from app.web import params
from app.web.database import session
from app.web.errors import by_field
from app.web.prompts.page import pages

TOLD = 5
"""Imported prompts that are told one by one."""


@pages.route("/import", methods=["GET", "POST"])
def take_in() -> ResponseReturnValue:
    """A file, or its text: of ours, of promptfoo, of Langfuse, or a list of messages."""
    text, name = request.form.get("text", ""), params.clean(request.form.get("name", ""))
    problems: tuple[Problem, ...] = ()
    if request.method == "POST":
        try:
            found = prompts.import_prompts(session(), params.uploaded(text), name=name)
            _tell(found)
            if len(found) == 1:
                return redirect(url_for("prompts.show", prompt_id=found[0].version.prompt_id), 303)
            return redirect(url_for("prompts.index"), 303)
        except Invalid as error:
            problems = error.problems
    page = render_template(
        "prompts/import.html", text=text, name=name, errors=by_field(Invalid(problems)), problems=problems
    )
    return page, 422 if problems else 200


def _tell(found: list[prompts.Imported]) -> None:
    for one in found[:TOLD]:
        flash(f"Imported as {one.version.prompt.name}, version {one.version.number}.", "good")
        if one.adjusted:
            names = ", ".join(f"{{{name}}}" for name in one.adjusted)
            flash(f"{names} in {one.version.prompt.name} became variables in double braces.", "warn")
    if len(found) > TOLD:
        flash(f"And {len(found) - TOLD} more prompts.", "good")
