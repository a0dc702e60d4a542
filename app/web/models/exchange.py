"""Model configs as files, in and out."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.services import models
from app.services.errors import Invalid, Problem
from app.web import params
from app.web.database import session
from app.web.errors import by_field
from app.web.models.page import pages


@pages.get("/export")
def export() -> ResponseReturnValue:
    """All configs as one JSON file."""
    response = Response(models.export_json(models.list_configs(session())), mimetype="application/json")
    response.headers.set("Content-Disposition", "attachment", filename="model configs.json")
    return response


@pages.route("/import", methods=["GET", "POST"])
def take_in() -> ResponseReturnValue:
    """A JSON export or JSONL profiles, as a file or as text."""
    text = request.form.get("text", "")
    problems: tuple[Problem, ...] = ()
    if request.method == "POST":
        try:
            done = _imported(text)
            parts = ((done.created, "new"), (done.revised, "with a new revision"), (done.unchanged, "unchanged"))
            flash("Imported: " + ", ".join(f"{len(names)} {what}" for names, what in parts if names) + ".", "good")
            return redirect(url_for("models.index"), 303)
        except Invalid as error:
            problems = error.problems
    page = render_template(
        "models/import.html", text=params.clean(text), errors=by_field(Invalid(problems)), problems=problems
    )
    return page, 422 if problems else 200


def _imported(text: str) -> models.Imported:
    return models.import_text(session(), params.uploaded(text))
