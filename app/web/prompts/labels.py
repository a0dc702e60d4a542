"""Labels set, moved and removed; a prompt deleted."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.services import prompts, reviews
from app.services.errors import Invalid, NotFound, Problem
from app.store.models import Prompt, PromptVersion
from app.web import params
from app.web.database import session
from app.web.errors import by_field
from app.web.prompts.browse import shown
from app.web.prompts.page import get, pages


@pages.post("/<int:prompt_id>/labels")
def label(prompt_id: int) -> ResponseReturnValue:
    """Point a label at a version."""
    prompt = get(prompt_id)
    name, which = params.clean(request.form.get("label", "")), params.clean(request.form.get("version", ""))
    try:
        target = _target(prompt, which)
        prompts.set_label(session(), prompt, name, target)
    except Invalid as error:
        page = render_template(
            "prompts/show.html", **shown(prompt), errors=by_field(error), tried={"label": name, "version": which}
        )
        return page, 422
    flash(f"{name} is version {target.number} now.", "good")
    return redirect(url_for("prompts.show", prompt_id=prompt.id), 303)


@pages.post("/<int:prompt_id>/labels/remove")
def unlabel(prompt_id: int) -> ResponseReturnValue:
    """Take a label away."""
    prompt = get(prompt_id)
    name = params.clean(request.form.get("label", ""))
    prompts.remove_label(session(), prompt, name)
    flash(f"The label {name} is removed.", "good")
    return redirect(url_for("prompts.show", prompt_id=prompt.id), 303)


@pages.post("/<int:prompt_id>/delete")
def delete(prompt_id: int) -> ResponseReturnValue:
    """Take a prompt out of the library."""
    prompt = get(prompt_id)
    name = prompt.name
    reviews.check_unused(session(), prompt.name)
    prompts.delete(session(), prompt)
    flash(f"{name} is deleted.", "good")
    return redirect(url_for("prompts.index"), 303)


def _target(prompt: Prompt, which: str) -> PromptVersion:
    try:
        return prompts.version(session(), prompt, which)
    except NotFound as missing:
        raise Invalid([Problem("version", str(missing))]) from None
