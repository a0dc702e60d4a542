"""The editor: a new prompt, a new version, and what is said about a prompt."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.services import prompts
from app.services.errors import Invalid, NotFound, Problem
from app.store.models import Prompt, PromptVersion
from app.web import params
from app.web.database import session
from app.web.errors import by_field, is_fragment
from app.web.prompts.drafts import Draft, from_form, from_version, looked_at, rearranged, text_of
from app.web.prompts.page import get, pages, version_of
from app.web.trying import panel_of_editor

ACTIONS = ("add", "remove", "up", "as", "look")
"""First words of the editor's buttons that save nothing."""


@pages.get("/new")
def new() -> ResponseReturnValue:
    """An empty editor."""
    return _editor(Draft(params.choice("kind", prompts.KINDS, "pair"), name=params.text("name")))


@pages.post("/new")
def create() -> ResponseReturnValue:
    """Save a new prompt, or do what the editor's button says."""
    kind = request.form.get("kind", "pair")
    draft = from_form(kind if kind in prompts.KINDS else "pair")
    if _asks_for_no_save():
        return _rearranged(draft)
    try:
        made = prompts.create(session(), draft.name, kind=draft.kind, **draft.about, **_words(draft))
    except Invalid as error:
        return _editor(draft, problems=error.problems)
    flash(f"{made.name} is in the library.", "good")
    return redirect(url_for("prompts.show", prompt_id=made.id), 303)


@pages.get("/<int:prompt_id>/edit")
def edit(prompt_id: int) -> ResponseReturnValue:
    """The editor with a version to go on from: the head, or ?from=."""
    prompt = get(prompt_id)
    number = params.whole("from")
    version = version_of(prompt, number) if number else prompts.head(prompt)
    return _editor(from_version(prompt, version), prompt)


@pages.post("/<int:prompt_id>/edit")
def save(prompt_id: int) -> ResponseReturnValue:
    """Save a new version, or do what the editor's button says."""
    prompt = get(prompt_id)
    draft = from_form(prompt.kind)
    if _asks_for_no_save():
        return _rearranged(draft, prompt)
    newest, parent = prompt.versions[-1].number, _base(prompt, draft)
    try:
        saved = prompts.save_version(session(), prompt, parent=parent, reasoning=draft.reasoning, **draft.words)
    except Invalid as error:
        return _editor(draft, prompt, problems=error.problems)
    if saved.number > newest:
        flash(f"Saved as version {saved.number}.", "good")
    else:
        flash(f"Nothing to save: the text is that of version {saved.number}.")
    return redirect(url_for("prompts.show", prompt_id=prompt.id), 303)


@pages.route("/<int:prompt_id>/about", methods=["GET", "POST"])
def about(prompt_id: int) -> ResponseReturnValue:
    """Name, description, category and tags."""
    prompt = get(prompt_id)
    draft = Draft(prompt.kind, prompt.name, prompt.description, prompt.category, ", ".join(prompt.tags))
    problems: tuple[Problem, ...] = ()
    if request.method == "POST":
        draft = from_form(prompt.kind)
        try:
            prompts.describe(session(), prompt, name=draft.name, **draft.about)
            return redirect(url_for("prompts.show", prompt_id=prompt.id), 303)
        except Invalid as error:
            problems = error.problems
    page = render_template("prompts/about.html", prompt=get(prompt_id), draft=draft, **_told(problems))
    return page, 422 if problems else 200


def _asks_for_no_save() -> bool:
    return request.form.get("do", "").partition("-")[0] in ACTIONS


def _words(draft: Draft) -> prompts.Words:
    """The draft's text. Raises: Invalid with the problems of the other fields too when its JSON is wrong."""
    try:
        return draft.words
    except Invalid as wrong_json:
        try:
            prompts.check_about(session(), draft.name, **draft.about)
        except Invalid as others:
            raise Invalid([*others.problems, *wrong_json.problems]) from None
        raise


def _base(prompt: Prompt, draft: Draft) -> PromptVersion | None:
    try:
        return version_of(prompt, draft.base) if draft.base else None
    except NotFound:
        return None


def _rearranged(draft: Draft, prompt: Prompt | None = None) -> ResponseReturnValue:
    do = request.form.get("do", "")
    if do == "look":
        return _look(draft, prompt)
    try:
        return _editor(rearranged(draft, do), prompt)
    except Invalid as error:
        return _editor(draft, prompt, problems=error.problems)


def _look(draft: Draft, prompt: Prompt | None) -> ResponseReturnValue:
    if not is_fragment():
        return _editor(draft, prompt)
    return render_template("prompts/parts/look.html", look=_seen(draft, prompt))


def _seen(draft: Draft, prompt: Prompt | None) -> dict[str, object]:
    look = looked_at(draft)
    if prompt is not None and "wrong" not in look:
        base = _base(prompt, draft) or prompts.head(prompt)
        look["changes"] = prompts.word_diff(text_of(base), draft.plain_text)
        look["base"] = base.number
    return look


def _told(problems: tuple[Problem, ...]) -> dict[str, object]:
    return {"problems": problems, "errors": by_field(Invalid(problems))}


def _editor(draft: Draft, prompt: Prompt | None = None, problems: tuple[Problem, ...] = ()) -> ResponseReturnValue:
    look = _seen(draft, prompt)
    found = look.get("variables", ())
    panel = panel_of_editor([str(name) for name in found] if isinstance(found, list) else [])
    page = render_template("prompts/edit.html", draft=draft, prompt=prompt, look=look, panel=panel, **_told(problems))
    return page, 422 if problems else 200
