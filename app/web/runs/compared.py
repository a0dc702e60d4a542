"""What a comparison on a dataset has found so far: its versions side by side, and their answers."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import url_for

from app.services import comparison, runs
from app.services.comparison import Side
from app.store.models import Run
from app.web import params
from app.web.database import session
from app.web.runs.page import PAGE, render


def of_run(run: Run) -> dict[str, Any]:
    """Its versions with their scores, for the overview; empty for a run of another kind."""
    sides = _sides(run) if run.kind == "compare" else []
    return {"columns": comparison.compare(session(), sides, run.spec["part"]) if sides else []}


def _sides(run: Run) -> list[Side]:
    known = comparison.versions(runs.notes(session(), run.id))
    return [Side(run, version) for _, version in sorted(known.items())]


def examples(run: Run) -> str:
    """The page of its examples: every version's answer to each."""
    show, place = params.choice("show", comparison.CHANGES), params.whole("after")
    sides = _sides(run)
    rows = comparison.examples(session(), sides, "all", change=show, after=place, limit=PAGE + 1) if sides else []
    here = partial(url_for, "runs.examples", run_id=run.id)
    return render(
        "runs/compared.html",
        run,
        titles=[side.title for side in sides],
        rows=rows[:PAGE],
        shows=[(title, here(show=value or None), value == show) for value, title in SHOWS],
        first=here(show=show or None) if place else "",
        more=here(show=show or None, after=rows[PAGE - 1].cursor) if len(rows) > PAGE else "",
    )


SHOWS = (
    ("", "All"),
    ("fixed", "Fixed"),
    ("broken", "Broken"),
    ("both_wrong", "Both wrong"),
    ("both_right", "Both right"),
    ("unscored", "Not scored"),
)
"""Filters of examples, with their titles."""
