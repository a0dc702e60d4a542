"""The list of runs: filters and place in the address, pages by keyset."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from app.core.catalog import KINDS
from app.ports.llm import Json
from app.services import runs
from app.web import params
from app.web.database import session
from app.web.runs.page import pages

STATUSES = ("queued", "running", "paused", "done", "cancelled", "failed")
PAGE = 40


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
    after = params.text("after", longest=80)
    found = runs.list_runs(session(), **vars(filters), after=after, limit=PAGE + 1)
    shown = found[:PAGE]
    chosen = {name: value for name, value in vars(filters).items() if value}
    page = {
        "rows": shown,
        "totals": {run.id: runs.totals(session(), run.id) for run in shown},
        "first": url_for("runs.index", **chosen) if after else "",
        "more": url_for("runs.index", **chosen, after=shown[-1].id) if len(found) > PAGE else "",
    }
    kinds = [(name, kind.title) for name, kind in KINDS.items()]
    return render_template(
        "runs/index.html", page=page, filters=filters, statuses=[(s, s) for s in STATUSES], kinds=kinds
    )


@pages.app_template_test("search")
def is_search(name: str) -> bool:
    """Whether a kind of run has curves and proposals."""
    return name in KINDS and KINDS[name].searches


@pages.app_template_filter("about")
def about(spec: Json) -> str:
    """On what data a run works, and with which models."""
    models = [one["label"] for one in spec.get("configs", ())] or [spec.get("primary", {}).get("name", "")]
    return " · ".join(part for part in (spec.get("dataset", {}).get("name", ""), ", ".join(models)) if part)


@pages.app_template_filter("kind")
def kind_title(name: str) -> str:
    """What people call a kind of run."""
    return KINDS[name].title if name in KINDS else name
