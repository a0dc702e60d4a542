"""The list of benchmarks, and how each config has done over all of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from app.services import runs
from app.services.benchmarks.statistics import Config, statistics
from app.web import params
from app.web.benchmarks.page import pages
from app.web.database import session

PAGE = 40
GROUPS = {"none": "Not grouped", "model": "By model"}


def _known_first(value: float | None, *, most: bool = False) -> tuple[bool, float]:
    return value is None, (-value if most else value) if value is not None else 0.0


SORTS: dict[str, tuple[str, Callable[[Config], Any]]] = {
    "score": ("Score", lambda one: _known_first(one.score, most=True)),
    "time": ("Time", lambda one: _known_first(one.seconds)),
    "cost": ("Cost", lambda one: _known_first(one.cost_usd)),
    "unacceptable": ("Unacceptable", lambda one: -one.unacceptable),
    "name": ("Name", lambda one: one.config.casefold()),
}


@pages.get("")
def index() -> ResponseReturnValue:
    """All benchmarks, newest first."""
    search, after = params.text("search"), params.text("after", longest=80)
    found = runs.list_runs(session(), kind="benchmark", search=search, after=after, limit=PAGE + 1)
    shown = found[:PAGE]
    chosen: dict[str, Any] = {"search": search} if search else {}
    return render_template(
        "benchmarks/index.html",
        rows=shown,
        totals={run.id: runs.totals(session(), run.id) for run in shown},
        search=search,
        first=url_for("benchmarks.index", **chosen) if after else "",
        more=url_for("benchmarks.index", **chosen, after=shown[-1].id) if len(found) > PAGE else "",
    )


@pages.get("/configs")
def configs() -> ResponseReturnValue:
    """Every config over all benchmarks, sorted, and grouped by model if the reader wants that."""
    sort, group = params.choice("sort", list(SORTS), "score"), params.choice("group", list(GROUPS), "none")
    rows = sorted(statistics(session()), key=SORTS[sort][1])

    def here(**changed: str) -> str:
        return url_for("benchmarks.configs", _external=False, **{"sort": sort, "group": group} | changed)

    ordered = sorted(rows, key=lambda one: one.model)
    groups = [(model, list(some)) for model, some in groupby(ordered, key=lambda one: one.model)]
    return render_template(
        "benchmarks/configs.html",
        groups=groups if group == "model" else [("", rows)],
        count=len(rows),
        sorts=[(title, here(sort=key), key == sort) for key, (title, _) in SORTS.items()],
        grouping=[(title, here(group=key), key == group) for key, title in GROUPS.items()],
    )
