"""The page that shows every component, for whoever makes or judges a page."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, jsonify, render_template, render_template_string
from flask.typing import ResponseReturnValue

from app.core.stats import Cell, Mean, Paired
from app.ports.llm import Json
from app.services.comparison import Answer, Pace, Row, Side, Version
from app.services.comparison import Column as Measured
from app.store.models import Run, SampleRow
from app.web import columns
from app.web.columns import Column
from app.web.story import EpochEnd, Story, curves

pages = Blueprint("style", __name__, url_prefix="/style")


@pages.get("")
def index() -> ResponseReturnValue:
    """All of them."""
    table = columns.chosen((Column("name", "Name", optional=False), Column("n", "n"), Column("score", "Score")))
    compared, rows = _side_by_side()
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return render_template("style.html", now=now, columns=table, compared=compared, rows=rows)


def _side_by_side() -> tuple[list[Measured], list[Row]]:
    """Two versions that are compared, and an example."""
    run = Run(id="example", kind="example", name="example", spec={}, simulated=True)
    first, second = (
        Side(run, Version(n, "", "", "", name=name)) for n, name in enumerate(("Initial prompts", "Proposal 1"))
    )
    scores = [(0.5, 0.61, 0.4), (0.64, 0.74, 0.53)]
    means = [Mean(value, 58, 60, low, high) for value, high, low in scores]
    pace = Pace(58, 0.00012, 61.0, 0.42, 1.3)
    paired = Paired(58, 60, 0.14, 0.03, 0.25, 0.021, "mcnemar_exact", ("1", "2"), ("3",), 40, 15)
    measured = [Measured(first, means[0], pace), Measured(second, means[1], pace, paired)]
    given: tuple[tuple[float, str, Cell], ...] = ((0.0, "refund", "both_wrong"), (1.0, "card arrival", "fixed"))
    answers = [
        Answer(SampleRow(outcome="scored", score=score, response=text, feedback="", error=""), change)
        for score, text, change in given
    ]
    return measured, [Row(1, "1", 0, "Where is my card?", "card arrival", tuple(answers))]


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
