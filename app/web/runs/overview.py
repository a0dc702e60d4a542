"""A run at a glance: state, curves, proposals and log; each part can be fetched again alone while the run goes on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import jsonify, redirect, url_for
from flask.typing import ResponseReturnValue

from app.services import feed, figures, prompts, runs
from app.services.errors import NotFound
from app.store.models import Event, PromptVersion, Run
from app.web import params, story
from app.web.database import session
from app.web.lineage import draw
from app.web.loglines import EVENTS, KINDS, lines
from app.web.runs import compared, confusion
from app.web.runs.descent import descent
from app.web.runs.page import get, pages, render, told_story
from app.web.unattended import why_silent, why_unattended

PARTS = {
    "head": "runs/parts/head.html",
    "state": "runs/parts/state.html",
    "proposals": "runs/parts/proposals.html",
    "shortening": "runs/parts/shortening.html",
    "prices": "runs/parts/prices.html",
    "lineage": "runs/parts/lineage.html",
    "confusion": "runs/parts/confusion.html",
    "log_lines": "runs/parts/log_lines.html",
}
TAIL = 60
LOG_PAGE = 500
DRAWN = 40
"""Newest proposals that are drawn."""
SHOWS = (("", "All"), ("decision", "Decisions"), ("reasoning", "Reasoning"), ("warning", "Warnings"), ("wait", "Waits"))


@pages.get("/<run_id>")
def overview(run_id: str) -> ResponseReturnValue:
    """The first page of a run."""
    run = get(run_id)
    if run.kind == "try":
        return redirect(url_for("playground.show", run_id=run_id))
    newest = feed.newest(session(), run_id)
    show = params.choice("show", KINDS)
    here = partial(url_for, "runs.overview", run_id=run_id)
    shows = [(title, here(show=kind or None), kind == show) for kind, title in SHOWS]
    state = _state(run)
    tale, measure = state["story"], params.choice("measure", ("usd", "tokens"), "usd")
    values = state | _log_tail(run, newest, show) | _confusion(run, tale) | _lineage(run, tale)
    values["measure"] = measure
    return render("runs/overview.html", run, cursor=newest, shows=shows, **values)


@pages.get("/<run_id>/parts/<name>")
def part(run_id: str, name: str) -> ResponseReturnValue:
    """One part of the first page as it is now."""
    run = get(run_id)
    if name not in PARTS:
        raise NotFound(f"A run has no part called {name[:40]}.")
    return render(PARTS[name], run, **_OWN.get(name, _state)(run))


@pages.get("/<run_id>/curves.json")
def curves(run_id: str) -> ResponseReturnValue:
    """The figures of the learning curves."""
    return jsonify(story.curves(told_story(get(run_id))))


@pages.get("/<run_id>/timeline.json")
def timeline(run_id: str) -> ResponseReturnValue:
    """How cost and tokens grew."""
    return jsonify(figures.timeline(runs.timeline(session(), get(run_id))))


@pages.get("/<run_id>/proposals/<int:number>")
def proposal(run_id: str, number: int) -> ResponseReturnValue:
    """One version of the run's prompts: scores, reasoning, and what it changed."""
    run = get(run_id)
    tale = told_story(run)
    version = tale.versions.get(number)
    if version is None:
        raise NotFound(f"This run has no proposal {number}.")
    parent = tale.parent(version)
    numbers = sorted(tale.versions)
    place = numbers.index(number)
    return render(
        "runs/proposal.html",
        run,
        version=version,
        parent=parent,
        before=tale.versions[numbers[place - 1]] if place else None,
        after=tale.versions[numbers[place + 1]] if place + 1 < len(numbers) else None,
        view=params.choice("view", ("diff", "plain"), "diff"),
        texts=texts(parent, version),
        kept=_kept(run, number),
    )


def _kept(run: Run, number: int) -> int | None:
    """Number of the library's version that a proposal became, once the run has ended."""
    kept = run.prompt.versions if run.prompt else []
    return next((v.number for v in kept if v.run_id == run.id and v.run_number == number), None)


def texts(before: story.Version | None, after: story.Version) -> list[tuple[str, Any, str]]:
    """Title, word diff and plain text of both prompts."""
    pairs = (
        ("System prompt", before.system_prompt if before else "", after.system_prompt),
        ("Output prompt", before.output_prompt if before else "", after.output_prompt),
    )
    return [(title, prompts.word_diff(old, new), new) for title, old, new in pairs]


@pages.get("/<run_id>/log")
def log(run_id: str) -> ResponseReturnValue:
    """The whole log in pages, newest last, with a filter."""
    run = get(run_id)
    show = params.choice("show", KINDS)
    newest = feed.newest(session(), run_id)
    before = params.whole("before")
    events = feed.tail(session(), run_id, before or newest, names=EVENTS, limit=LOG_PAGE)
    here = partial(url_for, "runs.log", run_id=run_id)
    return render(
        "runs/log.html",
        run,
        cursor=newest,
        shows=[(title, here(show=kind or None), kind == show) for kind, title in SHOWS],
        earlier=here(show=show or None, before=events[0].id - 1) if len(events) == LOG_PAGE else "",
        latest=here(show=show or None) if before else "",
        growing=not before,
        **_log(events, newest, show),
    )


def _state(run: Run) -> dict[str, Any]:
    return {
        "story": told_story(run),
        "progress": runs.progress(session(), run),
        "totals": runs.totals(session(), run.id),
        "unattended": why_unattended() if run.status == "queued" else "",
        "silent": why_silent(run),
        "unscored": runs.count_unprocessed(session(), run),
        **compared.of_run(run),
        "winner": _winner(run),
    }


def _winner(run: Run) -> PromptVersion | None:
    """The library's version that the run recommends to use; None when it recommends none."""
    outcome = run.outcome or {}
    number = (outcome.get("final") or {}).get("number")
    kept = _kept(run, number) if outcome.get("verdict") == "ship" and number else None
    return prompts.version(session(), run.prompt, str(kept)) if kept and run.prompt else None


def _log_tail(run: Run, newest: int, show: str = "", limit: int = TAIL) -> dict[str, Any]:
    """The end of the log up to an event."""
    events = feed.tail(session(), run.id, newest, names=EVENTS, limit=limit)
    return _log(events, newest, show) | {"log_cut": len(events) == limit}


def _log_after(run: Run) -> dict[str, Any]:
    """The lines after an event, for a log that grows."""
    after = params.whole("after")
    events = feed.since(session(), run.id, after, names=EVENTS, limit=LOG_PAGE)
    found = _log(events, events[-1].id if events else after, params.choice("show", KINDS))
    return found | {"log_more": len(events) == LOG_PAGE}


def _confusion(run: Run, tale: story.Story | None = None) -> dict[str, Any]:
    return {"confusion": confusion.shown(run, tale or told_story(run))}


def _lineage(run: Run, tale: story.Story | None = None) -> dict[str, Any]:
    found = descent(tale or told_story(run))
    return {"drawing": draw(found[-DRAWN:]) if len(found) > 1 else None, "undrawn": max(0, len(found) - DRAWN)}


def _nothing(_run: Run) -> dict[str, Any]:
    return {}


_OWN: dict[str, Callable[[Run], dict[str, Any]]] = {
    "head": _nothing,
    "log_lines": _log_after,
    "confusion": _confusion,
    "lineage": _lineage,
}
"""Parts that are not made of the run's state."""


def _log(events: list[Event], cursor: int, show: str) -> dict[str, Any]:
    found = (line for event in events for line in lines(event))
    return {"log": [line for line in found if not show or line.kind == show], "log_cursor": cursor, "show": show}
