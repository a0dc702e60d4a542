"""One place to go anywhere from: pages, runs, datasets and prompts by their names, opened by Ctrl-K on every page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app.services import datasets, prompts, runs
from app.web import params
from app.web.database import session
from app.web.errors import is_fragment
from app.web.navigation import PLACES

EACH = 6
"""Things of one sort that are listed."""

pages = Blueprint("find", __name__, url_prefix="/find")


@dataclass(frozen=True)
class Found:
    """One thing to go to. sort: what it is, in a word; about: a few words beside its name."""

    sort: str
    name: str
    about: str
    address: str


@pages.get("")
def index() -> ResponseReturnValue:
    """What fits the words; htmx gets the list alone."""
    search = params.text("search")
    found = list(_found(search))
    return render_template("find/list.html" if is_fragment() else "find/index.html", found=found, search=search)


def _found(search: str) -> Iterator[Found]:
    wanted = search.casefold().split()

    def fits(text: str) -> bool:
        return all(word in text.casefold() for word in wanted)

    for title, address in (
        *((p.title, url_for(p.endpoint)) for p in PLACES),
        ("New training", url_for("trainings.new")),
    ):
        if fits(title):
            yield Found("Page", title, "", address)
    for run in runs.list_runs(session(), search=search, limit=EACH):
        yield Found("Run", run.name or run.id, f"{run.id}, {run.status}", url_for("runs.overview", run_id=run.id))
    for dataset in datasets.list_datasets(session(), search=search, limit=EACH):
        yield Found("Dataset", dataset.name, f"{dataset.rows:,} rows", url_for("datasets.show", dataset_id=dataset.id))
    for prompt in prompts.list_prompts(session(), search, limit=EACH):
        yield Found("Prompt", prompt.name, prompt.description[:80], url_for("prompts.show", prompt_id=prompt.id))
