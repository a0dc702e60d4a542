"""Servers of one's own: one form, a test in steps, and the models that they list."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.services import providers
from app.services.errors import Invalid, Problem
from app.services.providers.servers import MODEL_PREFIX, Form
from app.store.provider_tables import Server
from app.web import params
from app.web.context import backend, settings
from app.web.database import session
from app.web.errors import by_field
from app.web.providers.page import pages

EXAMPLES = (
    ("Ollama", "http://127.0.0.1:11434/v1"),
    ("LM Studio", "http://127.0.0.1:1234/v1"),
    ("vLLM", "http://127.0.0.1:8000/v1"),
    ("llama.cpp", "http://127.0.0.1:8080/v1"),
)


@pages.route("/servers/new", methods=["GET", "POST"])
def new_server() -> ResponseReturnValue:
    """An empty form, or a new server."""
    if request.method == "GET":
        return _form(Form("", params.text("base_url", longest=2000)))
    return _save(None)


@pages.route("/servers/<int:server_id>", methods=["GET", "POST"])
def server(server_id: int) -> ResponseReturnValue:
    """A server with its form and its last test, or a change of it."""
    found = providers.servers.get(session(), server_id)
    if request.method == "GET":
        return _form(Form(found.name, found.base_url), found)
    return _save(found)


@pages.post("/servers/<int:server_id>/test")
def test_server(server_id: int) -> ResponseReturnValue:
    """Test it; takes seconds. model: the one to call, else the first that it lists."""
    found = providers.servers.get(session(), server_id)
    _try(found, params.clean(request.form.get("model", ""))[:200])
    return redirect(url_for("providers.server", server_id=found.id) + "#trial", 303)


@pages.post("/servers/<int:server_id>/delete")
def delete_server(server_id: int) -> ResponseReturnValue:
    """Remove it and its key."""
    found = providers.servers.get(session(), server_id)
    name = found.name
    providers.servers.delete(session(), found)
    flash(f"{name} and its key are removed. Configs and runs keep the address.", "good")
    return redirect(url_for("providers.index"), 303)


def _save(found: Server | None) -> ResponseReturnValue:
    form = Form(
        params.clean(request.form.get("name", "")),
        params.clean(request.form.get("base_url", "")),
        request.form.get("key", ""),
        request.form.get("forget_key") == "1",
    )
    had_key = found is not None and _kept(found) is not None
    before = found.origin if found else ""
    try:
        saved = providers.servers.save(session(), settings(), backend().gateway.around.guard, form, found)
    except Invalid as error:
        session().rollback()
        return _form(form, found, error.problems)
    flash(f"{saved.name} is saved.", "good")
    if had_key and saved.origin != before and not form.key:
        flash("Its key belonged to the address of before and is removed; enter the one of the new address.", "warn")
    if request.form.get("do") == "test":
        _try(saved)
    return redirect(url_for("providers.server", server_id=saved.id) + "#trial", 303)


def _try(found: Server, model: str = "") -> None:
    own = providers.servers.key_of(backend().keys, found)
    trial = providers.trial.run(found.base_url, backend().gateway.around, own, model)
    providers.servers.record(session(), found, trial)


def _kept(found: Server) -> providers.keys.Kept | None:
    return providers.keys.kept(session(), settings()).get(providers.keys.holder_of(found.id))


def _form(form: Form, found: Server | None = None, problems: tuple[Problem, ...] = ()) -> ResponseReturnValue:
    page = render_template(
        "providers/server.html",
        form_of=form,
        server=found,
        key=_kept(found) if found else None,
        models=[MODEL_PREFIX + name for name in found.models] if found else [],
        examples=EXAMPLES,
        problems=problems,
        errors=by_field(Invalid(problems)),
    )
    return page, 422 if problems else 200
