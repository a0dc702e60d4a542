"""The list of prompts, and one prompt with its versions, lineage, labels and uses."""

from __future__ import annotations

from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from app.services import prompts
from app.store.models import Prompt, PromptVersion
from app.web import params
from app.web.database import session
from app.web.lineage import draw
from app.web.prompts.page import get, notes, pages, parts, variables

PAGE = 40
VERSIONS = 30
DRAWN = 150
SHOWS = {"all": "All", "kept": "Without refused proposals"}


@pages.get("")
def index() -> ResponseReturnValue:
    """All prompts by name."""
    search, tag, after = params.text("search"), params.text("tag"), params.text("after")
    found = prompts.list_prompts(session(), search, tag=tag, after=after, limit=PAGE + 1)
    shown = prompts.summaries(session(), found[:PAGE])
    chosen: dict[str, Any] = {name: value for name, value in (("search", search), ("tag", tag)) if value}
    return render_template(
        "prompts/index.html",
        rows=shown,
        search=search,
        tag=tag,
        tags=_tags(tag),
        first=url_for("prompts.index", **chosen) if after else "",
        more=url_for("prompts.index", **chosen, after=shown[-1].prompt.name) if len(found) > PAGE else "",
    )


def _tags(chosen: str) -> list[tuple[str, str]]:
    """The choices of the filter; none when the library has no tags."""
    known = prompts.tags_in_use(session())
    return [("", "any"), *((tag, tag) for tag in known)] if known or chosen else []


@pages.get("/<int:prompt_id>")
def show(prompt_id: int) -> ResponseReturnValue:
    """One prompt."""
    return render_template("prompts/show.html", **shown(get(prompt_id)))


def shown(prompt: Prompt) -> dict[str, object]:
    """What the page of a prompt needs."""
    which = params.choice("show", list(SHOWS), "all")
    before = params.whole("before")
    listed = _listed(prompt, which, before)
    current = prompts.head(prompt)
    nodes = prompts.lineage(session(), prompt)
    return {
        "prompt": prompt,
        "current": current,
        "parts": parts(current),
        "variables": variables(current),
        "notes": notes(current),
        "versions": listed[:VERSIONS],
        "numbers": {v.id: v.number for v in prompt.versions},
        "labels_of": labels_of(prompt),
        "shows": [
            (title, url_for("prompts.show", prompt_id=prompt.id, show=key), key == which)
            for key, title in SHOWS.items()
        ],
        "first": url_for("prompts.show", prompt_id=prompt.id, show=which) if before else "",
        "more": url_for("prompts.show", prompt_id=prompt.id, show=which, before=listed[VERSIONS - 1].number)
        if len(listed) > VERSIONS
        else "",
        "drawing": draw(nodes[-DRAWN:]) if len(nodes) > 1 else None,
        "undrawn": max(0, len(nodes) - DRAWN),
        "moves": prompts.label_history(session(), prompt, limit=20),
        "uses": prompts.used_by(session(), prompt, limit=20),
    }


def labels_of(prompt: Prompt) -> dict[int, list[str]]:
    """The labels by version id."""
    found: dict[int, list[str]] = {}
    for one in prompt.labels:
        found.setdefault(one.version_id, []).append(one.label)
    return found


def _listed(prompt: Prompt, which: str, before: int) -> list[PromptVersion]:
    versions = [v for v in reversed(prompt.versions) if not before or v.number < before]
    return versions if which == "all" else [v for v in versions if v.fate in ("", "accepted")]
