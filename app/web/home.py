"""Home: what to do next, and what is going on."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

pages = Blueprint("home", __name__)


@pages.get("/")
def index() -> ResponseReturnValue:
    """The first page."""
    return render_template("home.html")
