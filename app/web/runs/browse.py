"""The list of runs: filters and place in the address, pages by keyset."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from app.core.catalog import KINDS
from app.ports.llm import Json
from app.services import runs
from app.web import columns, params
from app.web.columns import Column
from app.web.database import session
from app.web.runs.page import pages

STATUSES = ("queued", "running", "paused", "done", "cancelled", "failed")
PAGE = 40
COLUMNS = (
    Column("name", "Run", optional=False),
    Column("status", "Status", "fit"),
    Column("result", "Result"),
    Column("before", "Test before", "num"),
    Column("after", "Test after", "num"),
    Column("difference", "Difference", "num"),
    Column("dataset", "Dataset", usual=False),
    Column("model", "Primary model", usual=False),
    Column("calls", "Calls", "num", usual=False),
    Column("tokens", "Tokens", "num", usual=False),
    Column("spent", "Spent", "num"),
    Column("took", "Took", "num"),
    Column("created", "Created", "fit"),
)
SORTED = {"name": ("name", "name"), "created": ("newest", "oldest")}
"""Columns that the list can be ordered by, with their orders."""


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to."""

    search: str
    status: str
    kind: str


@pages.get("")
def index() -> ResponseReturnValue:
    """All runs, newest first."""
    filters = Filters(params.text("search"), params.choice("status", STATUSES), params.choice("kind", tuple(KINDS)))
    table, order = columns.chosen(COLUMNS), cast(runs.Order, params.choice("sort", runs.ORDERS, "newest"))
    after = params.text("after", longest=80)
    found = runs.list_runs(session(), **vars(filters), order=order, after=after, limit=PAGE + 1)
    shown = found[:PAGE]
    chosen: dict[str, Any] = {name: value for name, value in vars(filters).items() if value} | table.address
    here = partial(url_for, "runs.index", **chosen)
    chosen |= {"sort": order} if order != "newest" else {}
    page = {
        "rows": shown,
        "totals": {run.id: runs.totals(session(), run.id) for run in shown},
        "first": url_for("runs.index", **chosen) if after else "",
        "more": url_for("runs.index", **chosen, after=shown[-1].id) if len(found) > PAGE else "",
    }
    kinds = [(name, kind.title) for name, kind in KINDS.items()]
    return render_template(
        "runs/index.html",
        page=page,
        filters=filters,
        statuses=[(s, s) for s in STATUSES],
        kinds=kinds,
        columns=table,
        heads=columns.heads(table, SORTED, order, here),
        order=order,
    )


@pages.app_template_filter("about")
def about(spec: Json) -> str:
    """On what data a run works, and with which models."""
    models = [one["label"] for one in spec.get("configs", ())] or [spec.get("primary", {}).get("name", "")]
    return " · ".join(part for part in (spec.get("dataset", {}).get("name", ""), ", ".join(models)) if part)


@pages.app_template_filter("kind")
def kind_title(name: str) -> str:
    """What people call a kind of run."""
    return KINDS[name].title if name in KINDS else name
