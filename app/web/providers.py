"""Providers that can be used from here, how that was found out, and what the others need."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app.services import providers
from app.web.context import backend, settings

pages = Blueprint("providers", __name__, url_prefix="/providers")


@pages.get("")
def index() -> ResponseReturnValue:
    """The providers, those that are ready first; never a secret."""
    found = providers.found(settings(), backend().environ)
    return render_template(
        "providers/index.html",
        ready=[p for p in found if p.ready and p.name != "simulated"],
        simulated=next((p for p in found if p.name == "simulated"), None),
        others=[p for p in found if not p.ready],
        configured=[("Primary model", settings().primary_model), ("Optimizer model", settings().optimizer_model)],
    )
