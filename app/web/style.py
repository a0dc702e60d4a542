"""The page that shows every component, for whoever makes or judges a page."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, jsonify, render_template, render_template_string
from flask.typing import ResponseReturnValue

from app.ports.llm import Json
from app.web import columns
from app.web.columns import Column
from app.web.story import EpochEnd, Story, curves

pages = Blueprint("style", __name__, url_prefix="/style")


@pages.get("")
def index() -> ResponseReturnValue:
    """All of them."""
    table = columns.chosen((Column("name", "Name", optional=False), Column("n", "n"), Column("score", "Score")))
    return render_template("style.html", now=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), columns=table)


@pages.get("/toast")
def example_toast() -> ResponseReturnValue:
    """How an action that htmx sent says how it came out."""
    return render_template_string('{% import "macros/ui.html" as ui %}{{ ui.told("It is done.") }}')


@pages.get("/curves.json")
def example_curves() -> ResponseReturnValue:
    """What the chart on the page draws."""

    def mean(value: float) -> Json:
        return {"mean": value, "low": value - 0.1, "high": value + 0.1, "n": 40}

    scores = (0.3, 0.45, 0.45, 0.6)
    ends = [EpochEnd(epoch, mean(best - 0.05), mean(best), mean(best), 0) for epoch, best in enumerate(scores)]
    return jsonify(curves(Story(ends=ends)))
