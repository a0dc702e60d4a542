"""Two to eight versions of prompts side by side: texts, scores, costs, settings, answers. All of it stands in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.services import comparison, prompts, runs
from app.services.comparison import FIELD, MOST, Column, Side
from app.services.errors import Invalid
from app.store.models import Run
from app.web import params
from app.web.database import session
from app.web.runs.compared import SHOWS
from app.web.runs.page import PAGE
from app.web.runs.records import TITLES, in_words

pages = Blueprint("compare", __name__, url_prefix="/compare")

OFFERED = 50
"""Newest runs that are offered for choice; any other one can stand in the address."""
NOT_COMPARED = "plan"
"""The kind of run that measures no versions of prompts."""
UNTOLD = frozenset(
    {
        "system_prompt",
        "output_prompt",
        "instructions",
        "digest",
        "id",
        "notes",
        "bounds",
        "source",
        "candidates",
        "lanes",
    }
)
SMALL_TABLE = 3
"""More versions than these make the table of answers scroll sideways."""


@dataclass(frozen=True)
class Choice:
    """One field of the form. said: what stands in the address. without, first: the address without it, and with it first."""

    name: str
    said: str
    options: list[tuple[str, str]]
    side: Side | None = None
    error: str = ""
    without: str = ""
    first: str = ""


@pages.get("")
def index() -> ResponseReturnValue:
    """Choose what to compare, and see it side by side."""
    said = _said()
    if len(said) > MOST:
        told = f"at most {MOST} versions can stand side by side; these are {len(said)}. The first {MOST} are kept below"
        return _page([_choice(n, said[:MOST], _offered()) for n in range(MOST)], told), 422
    choices = [_choice(n, said, _offered()) for n in range(len(said))]
    wrong = any(choice.error for choice in choices)
    sides = [choice.side for choice in choices if choice.side]
    if wrong or len(said) < comparison.FEWEST:
        return _page(choices), 422 if wrong else 200
    return _page(choices, **_compared(sides))


def _said() -> list[str]:
    """The versions that the address names, each once; older addresses call two of them a and b."""
    named = [request.args.get("a", ""), request.args.get("b", ""), *request.args.getlist(FIELD)]
    return list(dict.fromkeys(name[:100] for each in named if (name := params.clean(each))))


def _choice(number: int, said: Sequence[str], offered: list[tuple[str, str]]) -> Choice:
    name, own = f"{FIELD}-{number}", said[number]
    try:
        side = comparison.side(session(), own)
    except Invalid as error:
        return Choice(name, own, [(own, own), *offered], error=error.problems[0].message)
    others = [one for one in said if one != own]
    known = comparison.versions(runs.notes(session(), side.run.id))
    mine = [(f"{side.run.id}:{v.number}", f"{side.run.name}: {Side(side.run, v).title}") for v in known.values()]
    return Choice(
        name, side.address, [*mine, *offered], side,
        without=url_for("compare.index", of=others),
        first=url_for("compare.index", of=[own, *others]) if number else "",
    )  # fmt: skip


def _offered() -> list[tuple[str, str]]:
    newest = runs.list_runs(session(), limit=OFFERED)
    return [(run.id, run.name or run.id) for run in newest if run.kind != NOT_COMPARED and run.status != "queued"]


def _page(choices: Sequence[Choice], refusal: str = "", **values: Any) -> str:
    filters = {"columns": None, **values}
    return render_template(
        "compare/index.html", choices=choices, refusal=refusal, offered=_offered(), most=MOST, field=FIELD, **filters
    )


def _compared(sides: list[Side]) -> dict[str, Any]:
    tested = all((side.run.outcome or {}).get("test") for side in sides)
    split = params.choice("split", comparison.SPLITS, "test" if tested else _best_split(sides))
    columns = comparison.compare(session(), sides, split)
    here = partial(url_for, "compare.index", of=[side.address for side in sides], split=split)
    return {
        "columns": columns,
        "split": split,
        "splits": [(name, "all examples" if name == "all" else name) for name in comparison.SPLITS],
        "sentences": [(column, comparison.sentence(column, split)) for column in columns[1:]],
        "texts": [(side, _texts(sides[0], side)) for side in sides[1:]],
        "settings_differ": _settings([side.run for side in sides]),
        "one_run": len({side.run.id for side in sides}) == 1,
        "wide": len(sides) > SMALL_TABLE,
        **_examples(columns, split, here),
    }


def _best_split(sides: Sequence[Side]) -> str:
    """The part that a run of its own was measured on, else validation."""
    parts = {str(side.run.spec.get("part") or "validation") for side in sides}
    return parts.pop() if len(parts) == 1 else "all"


def _texts(first: Side, other: Side) -> list[tuple[str, list[prompts.Op]]]:
    before, after = first.version, other.version
    pairs = (
        ("System prompt", before.system_prompt, after.system_prompt),
        ("Output prompt", before.output_prompt, after.output_prompt),
    )
    return [(title, prompts.word_diff(old, new)) for title, old, new in pairs if old or new]


def _settings(compared: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """Settings that the runs do not share, in words."""
    found = comparison.differences([run.spec for run in compared], UNTOLD)
    return [(_title(name), [in_words(value) or "–" for value in values]) for name, values in found]


def _title(name: str) -> str:
    head, *rest = name.split(".")
    first = TITLES.get(head, head.replace("_", " ").capitalize())
    return ", ".join([first, *(part.replace("_", " ") for part in rest if part not in ("name", "params"))])


def _examples(columns: Sequence[Column], split: str, here: partial[str]) -> dict[str, Any]:
    show, place = params.choice("show", comparison.CHANGES), params.whole("after")
    sides = [column.side for column in columns]
    rows = comparison.examples(session(), sides, split, change=show, after=place, limit=PAGE + 1)
    return {
        "rows": rows[:PAGE],
        "shows": [(title, here(show=value or None), value == show) for value, title in SHOWS],
        "first": here(show=show or None) if place else "",
        "more": here(show=show or None, after=rows[PAGE - 1].cursor) if len(rows) > PAGE else "",
    }
