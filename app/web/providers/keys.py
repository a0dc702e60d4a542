"""Keys of providers that are known by name: entered, replaced, removed; never shown."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.llm.known import KNOWN
from app.services import providers
from app.services.errors import Invalid, NotFound
from app.web import params
from app.web.context import settings
from app.web.database import session
from app.web.providers.browse import overview
from app.web.providers.page import pages


@pages.post("/keys")
def enter_key() -> ResponseReturnValue:
    """Keep a key. It is not repeated in any answer, so what was typed is lost when it is refused."""
    name = params.clean(request.form.get("provider", ""))
    try:
        providers.keys.enter(session(), settings(), name, request.form.get("key", ""))
    except NotFound as error:
        return str(error), 404
    except Invalid as error:
        return overview(error.problems, name)
    flash(f"The key of {KNOWN[name].title} is kept, encrypted. It is never shown again.", "good")
    return redirect(url_for("providers.index") + "#keys", 303)


@pages.post("/keys/<name>/delete")
def forget_key(name: str) -> ResponseReturnValue:
    """Remove a key."""
    providers.keys.forget(session(), name)
    flash(f"The key of {KNOWN[name].title} is removed.", "good")
    return redirect(url_for("providers.index") + "#keys", 303)
