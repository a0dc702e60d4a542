"""A run's examples before and after: filters, versions and the cell of a confusion matrix stand in the address."""

from __future__ import annotations

from functools import partial

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from app.core.stats.interval import COUNTED
from app.services import prompts, runs
from app.services.comparison import CHANGES
from app.services.errors import Invalid, Problem
from app.store.models import Run
from app.web import params
from app.web.database import session
from app.web.runs import compared, confusion
from app.web.runs.compared import SHOWS
from app.web.runs.page import PAGE, get, pages, render, told_story
from app.web.story import Story, Version

VIEWS = (("diff", "Changes"), ("plain", "Plain"))
LONGEST = 2_000
"""Characters of an answer that are compared word by word."""
SPLITS = ("test", "validation", "train")
MOST_OF_A_CELL = 2_000
"""Examples of one cell of a confusion matrix that a filter looks through for a page."""


@pages.get("/<run_id>/examples")
def examples(run_id: str) -> ResponseReturnValue:
    """Both answers to each example, with what changed."""
    run = get(run_id)
    if run.kind == "plan":
        return _asked_twice(run)
    if run.kind == "compare":
        return compared.examples(run)
    if run.kind == "benchmark":
        return redirect(url_for("benchmarks.show", run_id=run.id))
    return _before_after(run)


def _before_after(run: Run) -> str:
    """Two versions of a search, example by example."""
    tale = told_story(run)
    options = [
        (v.number, _title(v, run)) for v in sorted(tale.versions.values(), key=lambda v: v.number) if v.validation
    ]
    if len(options) < 2:
        return render("runs/examples.html", run, versions=options)
    before = version_named(tale, "a", 0)
    after = version_named(tale, "b", _final(run, tale))
    split = params.choice("split", SPLITS, "test" if tale.test else "validation")
    show = params.choice("show", CHANGES)
    place, cell = params.whole("after"), confusion.cell()
    digests = (before.digest, after.digest)
    if cell:
        rows = _of_cell(run, digests, split, show, cell)
    else:
        rows = runs.before_after(session(), run, *digests, split=split, change=show, after=place, limit=PAGE + 1)
    view = params.choice("view", ("diff", "plain"), "diff")
    asked = {
        "view": None if view == "diff" else view,
        "a": before.number,
        "b": after.number,
        "split": split,
        **(cell.address if cell else {}),
    }
    here = partial(url_for, "runs.examples", run_id=run.id, **asked)
    return render(
        "runs/examples.html",
        run,
        versions=options,
        splits=[(name, f"{name} ({run.spec['split'].get(name, 0)})") for name in SPLITS if run.spec["split"].get(name)],
        a=before,
        b=after,
        split=split,
        show=show,
        shows=[(title, here(show=value or None), value == show) for value, title in SHOWS],
        view=view,
        views=[(title, here(show=show or None, view=name), name == view) for name, title in VIEWS],
        changed=_changed,
        cell=cell,
        whole=url_for("runs.examples", run_id=run.id, a=before.number, b=after.number, split=split),
        rows=rows[:PAGE],
        first=here(show=show or None) if place else "",
        more=here(show=show or None, after=rows[PAGE - 1].cursor) if len(rows) > PAGE else "",
    )


def _changed(pair: runs.Pair) -> list[prompts.Op] | None:
    """The second answer as a change of the first; None where they have nothing in common or all."""
    texts = [one.response[:LONGEST] for one in (pair.before, pair.after) if one and one.outcome in COUNTED]
    if len(texts) < 2 or texts[0] == texts[1]:
        return None
    ops = prompts.word_diff(*texts)
    return ops if any(op == "equal" and text.strip() for op, text in ops) else None  # else nothing of it is left


def _of_cell(run: Run, digests: tuple[str, str], split: str, show: str, cell: confusion.Cell) -> list[runs.Pair]:
    """The examples in one cell of a confusion matrix, those that follow the place in the address."""
    wanted = cell.expected, cell.answered
    places = runs.in_cell(
        session(), run, digests["ab".index(cell.of)], split, wanted, after=params.whole("after"), limit=MOST_OF_A_CELL
    )
    return runs.at_places(session(), run, digests, split=split, change=show, places=places, limit=PAGE + 1)


def _asked_twice(run: Run) -> str:
    """The pilot of a plan: both answers to each example."""
    place = params.whole("after")
    rows = runs.asked_twice(session(), run, after=place, limit=PAGE + 1)
    here = partial(url_for, "runs.examples", run_id=run.id)
    more = here(after=rows[PAGE - 1].cursor) if len(rows) > PAGE else ""
    return render("runs/pilot.html", run, rows=rows[:PAGE], first=here() if place else "", more=more)


def version_named(tale: Story, field: str, default: int) -> Version:
    """The version whose number stands in the address."""
    number = params.whole(field, default=default)
    if number not in tale.versions:
        raise Invalid([Problem(field, f"this run has no proposal {number}")])
    return tale.versions[number]


def _final(run: Run, tale: Story) -> int:
    ended = (run.outcome or {}).get("final") or {}
    best = tale.best.number if tale.best else 0
    tried = [v.number for v in tale.proposals if v.validation]
    return int(ended.get("number") or best or (tried[0] if tried else 0))


def _title(version: Version, run: Run) -> str:
    del run
    return "initial prompts" if version.number == 0 else f"proposal {version.number}, {version.fate}"
