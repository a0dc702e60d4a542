"""The pages of review prompts: the list, the editor with its checks, duplicating and deleting."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core.review import CRITERIA, LETTERS, PLACEHOLDERS, Rubric, messages
from app.services import reviews
from app.services.errors import Conflict, Invalid, Problem
from app.services.reviews import Checked, ReviewPrompt
from app.web import params
from app.web.benchmarks.page import pages
from app.web.database import session
from app.web.errors import by_field
from app.web.trainings.choices import known_models

FIELDS = ("name", "description", "criteria", "scale", "details", "model", "template")
_SCALE = re.compile(r"(\d{1,3})\s*(?:-|–|to)\s*(\d{1,3})")
SAMPLE = ("Name three rivers of Europe.", ("Danube, Rhine and Volga.", "There are many rivers in Europe."))
"""What the editor shows a review of."""


@pages.get("/reviews")
def review_index() -> ResponseReturnValue:
    """All review prompts, with how much each is used."""
    search = params.text("search")
    found = reviews.list_all(session(), search)
    rows = [(one, one.checked, reviews.usage(session(), one.name)) for one in found]
    return render_template("benchmarks/reviews.html", rows=rows, search=search)


@pages.get("/reviews/edit")
def review_edit() -> ResponseReturnValue:
    """The editor: of the review prompt that the address names, or of a new one."""
    name = params.text("name", longest=300)
    found = reviews.get(session(), name) if name else None
    return _editor(_shown(found) if found else _new(), found)


@pages.post("/reviews/edit")
def review_save() -> ResponseReturnValue:
    """Save what was written, or only check it."""
    values = {name: params.clean(request.form.get(name, "").replace("\r\n", "\n")) for name in FIELDS}
    settings, problems = _settings(values)
    checked = reviews.check(values["template"], settings)
    problems += checked.errors
    if not values["name"]:
        problems.append(Problem("name", "give it a name"))
    if problems or request.form.get("do") == "check":
        return _editor(values, None, checked, problems)
    try:
        saved = reviews.save(session(), values["name"], values["template"], settings, description=values["description"])
    except Invalid as error:
        return _editor(values, None, checked, error.problems)
    flash(f"{saved.name} is saved as version {saved.version}.", "good")
    return redirect(url_for("benchmarks.review_edit", name=saved.name), 303)


@pages.post("/reviews/duplicate")
def review_duplicate() -> ResponseReturnValue:
    """A copy, to be changed."""
    made = reviews.duplicate(session(), params.clean(request.form.get("name", "")))
    flash(f"Duplicated as {made.name}.", "good")
    return redirect(url_for("benchmarks.review_edit", name=made.name), 303)


@pages.post("/reviews/delete")
def review_delete() -> ResponseReturnValue:
    """Take one away, as long as no benchmark uses it."""
    name = params.clean(request.form.get("name", ""))
    try:
        reviews.delete(session(), name)
    except Conflict as used:
        flash(str(used), "bad")
    else:
        flash(f"{name} is deleted.", "good")
    return redirect(url_for("benchmarks.review_index"), 303)


def _editor(
    values: Mapping[str, str],
    found: ReviewPrompt | None,
    checked: Checked | None = None,
    problems: Sequence[Problem] = (),
) -> ResponseReturnValue:
    checked = checked or (found.checked if found else reviews.check(values["template"], _settings(values)[0]))
    page = render_template(
        "benchmarks/review_edit.html",
        v=values,
        found=found,
        checked=checked,
        problems=problems,
        errors=by_field(Invalid(problems)),
        placeholders=PLACEHOLDERS,
        usage=reviews.usage(session(), values["name"]) if values["name"] else reviews.Usage(),
        sample=_sample(checked.rubric) if checked.rubric and not problems else "",
        models=known_models(),
    )
    return page, 422 if problems else 200


def _sample(rubric: Rubric) -> str:
    """What a reviewer would be asked about a small example."""
    prompt, answers = SAMPLE
    labelled = list(zip(LETTERS, answers, strict=False))
    return "\n\n".join(f"[{m.role}]\n{m.content}" for m in messages(rubric, prompt, labelled))


def _new() -> dict[str, str]:
    start = reviews.get(session(), reviews.DEFAULT)
    return {**_shown(start), "name": "", "description": ""}


def _shown(found: ReviewPrompt) -> dict[str, str]:
    rubric = found.checked.rubric or Rubric(found.template)
    return {
        "name": found.name,
        "description": found.description,
        "criteria": "\n".join(f"{name}: {meaning}" if meaning else name for name, meaning in rubric.criteria),
        "scale": f"{rubric.low}-{rubric.high}",
        "details": "1" if rubric.details else "",
        "model": found.checked.model,
        "template": found.template,
    }


def _settings(values: Mapping[str, str]) -> tuple[str, list[Problem]]:
    """The settings as JSON text, and what of the fields cannot be read."""
    problems = []
    criteria = [line.partition(":") for line in values["criteria"].splitlines() if line.strip()]
    named = {name.strip(): meaning.strip() for name, _, meaning in criteria} or dict(CRITERIA)
    if len(named) < len(criteria):
        problems.append(Problem("criteria", "a criterion is named twice"))
    scale = _SCALE.fullmatch(values["scale"] or "1-10")
    if scale is None:
        problems.append(Problem("scale", "write the lowest and the highest score, as 1-10"))
    ends = (int(scale[1]), int(scale[2])) if scale else (1, 10)
    return reviews.settings_text(named, ends, bool(values["details"]), values["model"]), problems
