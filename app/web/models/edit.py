"""The form of a model config: a new one, or a new revision; what would be sent is told while it is filled in."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.services import models
from app.services.errors import Invalid, Problem
from app.services.providers import servers
from app.store.models import ModelConfig
from app.web import params
from app.web.context import backend, settings
from app.web.database import session
from app.web.errors import by_field, is_fragment
from app.web.models.form import SHOWN, Draft, of_revision, param, sent
from app.web.models.page import get, pages
from app.web.trainings.choices import known_models


@pages.get("/new")
def new() -> ResponseReturnValue:
    """An empty form, or one with the model of ?model= at the address of ?api_base=."""
    draft = Draft()
    asked = {
        "model": params.text("model") or settings().primary_model,
        "api_base": params.text("api_base", longest=2000),
    }
    return _form(Draft({**draft.values, **asked}))


@pages.post("/new")
def create() -> ResponseReturnValue:
    """Save a new config, or look at what it would come to."""
    draft = sent()
    if request.form.get("do") == "look":
        return _looked(draft)
    said, problems = draft.said()
    try:
        models.check_name(session(), draft.values["name"], problems)
        _refuse(problems, said)
        made = models.create(session(), draft.values["name"], said)
    except Invalid as error:
        return _form(draft, problems=error.problems)
    flash(f"{made.name} is saved. Name it as {models.PREFIX}{made.name} where a model is asked for.", "good")
    return redirect(url_for("models.show", config_id=made.id), 303)


@pages.get("/<int:config_id>/edit")
def edit(config_id: int) -> ResponseReturnValue:
    """The form with what the newest revision says."""
    config = get(config_id)
    return _form(of_revision(config.name, models.head(config)), config)


@pages.post("/<int:config_id>/edit")
def save(config_id: int) -> ResponseReturnValue:
    """Save a new revision and maybe another name, or look at what it would come to."""
    config, draft = get(config_id), sent()
    if request.form.get("do") == "look":
        return _looked(draft, config)
    said, problems = draft.said()
    newest = models.head(config).number
    try:
        _refuse(problems, said)
        if draft.values["name"] != config.name:
            models.rename(session(), config, draft.values["name"])
        saved = models.save(session(), config, said)
    except Invalid as error:
        session().rollback()
        return _form(draft, get(config_id), problems=error.problems)
    if saved.number > newest:
        flash(f"Saved as revision {saved.number}. Runs that have started keep theirs.", "good")
    else:
        flash(f"Nothing to save: revision {saved.number} says the same.")
    return redirect(url_for("models.show", config_id=config.id), 303)


def _refuse(problems: list[Problem], said: dict[str, object]) -> None:
    """Nothing is saved while anything is wrong. Raises: Invalid with these problems and those of what is said."""
    named = {problem.field for problem in problems}
    problems = [*problems, *(one for one in models.read(said)[1] if one.field not in named)]
    if problems:
        raise Invalid(problems)


def _look(draft: Draft) -> models.Look:
    said, problems = draft.said()
    if problems or not draft.values["model"]:
        return models.Look(tuple(problems))
    return models.look(said, backend().gateway)


def _looked(draft: Draft, config: ModelConfig | None = None) -> ResponseReturnValue:
    if not is_fragment():
        return _form(draft, config)
    return render_template("models/parts/look.html", look=_look(draft))


def _form(draft: Draft, config: ModelConfig | None = None, problems: tuple[Problem, ...] = ()) -> ResponseReturnValue:
    errors = by_field(Invalid(problems))
    page = render_template(
        "models/edit.html",
        v=draft.values,
        config=config,
        look=_look(draft),
        fields=[param(name) for name in SHOWN],
        known=known_models(),
        servers=servers.listed(session()),
        problems=problems,
        errors=errors,
    )
    return page, 422 if problems else 200
