"""The blueprint of the benchmark pages, and what several of them need."""

from __future__ import annotations

from flask import Blueprint
from flask import session as browser

from app.services import runs
from app.services.benchmarks.results import Results, results
from app.services.errors import NotFound
from app.web import params
from app.web.database import session
from app.web.markdown import rendered

pages = Blueprint("benchmarks", __name__, url_prefix="/benchmarks")
pages.add_app_template_filter(rendered, "markdown")

RANKER = "ranker"


def get(run_id: str) -> Results:
    """The benchmark with all that is on record. Raises: NotFound, also for a run of another kind."""
    run = runs.get(session(), run_id)
    if run.kind != "benchmark":
        raise NotFound(f"Run {run_id[:40]} is no benchmark.")
    return results(session(), run)


def ranker() -> str:
    """The name under which this browser ranked last, "" for none yet."""
    return params.clean(str(browser.get(RANKER, "")))


def remember(name: str) -> None:
    """Rank under that name from now on."""
    browser[RANKER] = name
