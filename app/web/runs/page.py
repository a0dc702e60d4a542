"""The blueprint of the run pages, and what the head of each of them needs."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template

from app.services import runs
from app.store.models import Run
from app.web import story
from app.web.database import session
from app.web.live import ENDED

pages = Blueprint("runs", __name__, url_prefix="/runs")

TABS = (
    ("Overview", "runs.overview"),
    ("Examples", "runs.examples"),
    ("Calls", "runs.calls"),
    ("Bill", "runs.bill"),
    ("Log", "runs.log"),
    ("Settings", "runs.told"),
)
NOT_OF = {"benchmark": ("runs.examples",)}
"""Tabs that a kind has no use for: it has pages of its own."""
PAGE = 50
SEARCHES = frozenset({"train", "rejudge"})
"""Kinds of run that look for better prompts: only they have epochs, proposals and a sealed test of their own."""


def get(run_id: str) -> Run:
    """The run, or NotFound."""
    return runs.get(session(), run_id)


def told_story(run: Run) -> story.Story:
    """The run's history so far."""
    return story.read(runs.notes(session(), run.id))


def render(template: str, run: Run, **values: Any) -> str:
    """A page of the run, or a part of one."""
    return render_template(
        template,
        run=run,
        tabs=[tab for tab in TABS if tab[1] not in NOT_OF.get(run.kind, ())],
        searches=run.kind in SEARCHES,
        live=run.status not in ENDED,
        undecided=runs.undecided(session(), run),
        again=_again(run),
        once=secrets.token_hex(5),
        **values,
    )


def _again(run: Run) -> Again | None:
    in_s = runs.resumes_in(session(), run)
    return None if in_s is None else Again(dt.datetime.fromtimestamp(run.resume_at, dt.UTC), in_s)


@dataclass(frozen=True)
class Again:
    """When a run that an outage paused is tried again by itself: the moment, and how many seconds are left."""

    at: dt.datetime
    in_s: float


@dataclass(frozen=True)
class Filter:
    """A choice in the address: its values with titles, "" being all."""

    values: tuple[tuple[str, str], ...]

    @property
    def names(self) -> list[str]:
        """The values alone."""
        return [value for value, _ in self.values]
