"""Whether models answer: the last findings, and a check with its progress."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.services import access, models
from app.services.errors import Invalid
from app.web import params
from app.web.context import backend, settings
from app.web.database import session
from app.web.errors import is_fragment
from app.web.models.page import pages


@dataclass(frozen=True)
class Row:
    """A target with the names of the configs that come to it."""

    state: access.State
    names: tuple[str, ...]


@pages.get("/access")
def access_page() -> ResponseReturnValue:
    """Every active config's model and the configured ones, with what is known of them; a part of it while a check goes on."""
    rows = _rows()
    awaited = sum(row.state.awaited for row in rows)
    template = "models/parts/access.html" if is_fragment() else "models/access.html"
    return render_template(template, rows=rows, awaited=awaited, limits=settings().access)


@pages.post("/access")
def check_access() -> ResponseReturnValue:
    """Have all of them checked, or the one with ?config=; do=try tries what they can do as well."""
    chosen = params.clean(request.form.get("config", ""))
    targets = access.named(session(), [models.PREFIX + chosen]) if chosen else [row.state.target for row in _rows()]
    access.ask_for(session(), targets, trying=request.form.get("do") == "try")
    backend().start_checks()
    return redirect(url_for("models.access_page"), 303)


def _rows() -> list[Row]:
    named: dict[access.Target, tuple[str, ...]] = {t: tuple(names) for t, names in access.of_configs(session())}
    for role in ("primary_model", "optimizer_model", "judge_model"):
        try:
            (target,) = access.named(session(), [getattr(settings(), role)])
        except Invalid:
            continue
        named.setdefault(target, ())
    known = {state.target: state for state in access.states(session(), named)}
    return [Row(known[target], names) for target, names in named.items()]
