"""Two versions on the same examples, or two runs: prompts, scores, settings and answers side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app.core.stats import Paired
from app.services import comparison, prompts, runs
from app.services.comparison import Comparison
from app.services.errors import Invalid, NotFound, Problem
from app.store.models import Run
from app.web import params, story
from app.web.database import session
from app.web.errors import by_field
from app.web.fmt import p_value, signed
from app.web.runs.examples import CHANGES, SHOWS, SPLITS
from app.web.runs.page import PAGE
from app.web.runs.records import in_words
from app.web.story import Story, Version

pages = Blueprint("compare", __name__, url_prefix="/compare")

OFFERED = 50
"""Newest runs that are offered for choice; any other one can stand in the address."""
UNTOLD = frozenset({"system_prompt", "output_prompt", "digest", "id"})
ALPHA = 0.05


@dataclass(frozen=True)
class Side:
    """A version of a run, as ``run:number`` stands in the address; without a number it is the run's final version."""

    run: Run
    story: Story
    version: Version

    @property
    def name(self) -> str:
        """How the address calls it."""
        return f"{self.run.id}:{self.version.number}"


@pages.get("")
def index() -> ResponseReturnValue:
    """Choose two and see them beside each other."""
    try:
        sides = [_side("a"), _side("b")]
    except Invalid as error:
        return _page([None, None], errors=by_field(error)), 422
    return _page(sides)


def _side(field: str) -> Side | None:
    said = params.text(field, longest=40)
    if not said:
        return None
    run_id, _, number = said.partition(":")
    try:
        run = runs.get(session(), run_id)
    except NotFound:
        raise Invalid([Problem(field, f"there is no run {run_id}")]) from None
    tale = story.read(runs.notes(session(), run.id))
    version = tale.versions.get(int(number)) if number.isascii() and number.isdigit() and len(number) < 9 else None
    version = version or (None if number else tale.best)
    if version is None:
        raise Invalid([Problem(field, f"run {run_id} has no scored version {number}".rstrip())])
    return Side(run, tale, version)


def _page(sides: list[Side | None], errors: dict[str, str] | None = None) -> str:
    a, b = sides
    filters = {"a": a.name if a else "", "b": b.name if b else ""}
    values: dict[str, Any] = {"both": None}
    if a and b:
        values = _compared(a, b)
        filters["split"] = values["split"]
    options = {f"options_{field}": _options(side) for field, side in (("a", a), ("b", b))}
    return render_template("compare/index.html", errors=errors or {}, filters=filters, **options, **values)


def _options(chosen: Side | None) -> list[tuple[str, str]]:
    """What a side can be: every version of the run chosen there, then the newest runs."""
    options = [("", "Choose a run")]
    if chosen:
        numbers = sorted(chosen.story.versions)
        options += [(f"{chosen.run.id}:{n}", f"{chosen.run.name}: {_title(n)}") for n in numbers]
    others = runs.list_runs(session(), kind="train", limit=OFFERED)
    return options + [(run.id, run.name or run.id) for run in others if run.status != "queued"]


def _title(number: int) -> str:
    return "initial prompts" if number == 0 else f"proposal {number}"


def _compared(a: Side, b: Side) -> dict[str, Any]:
    tested = a.story.test is not None and b.story.test is not None
    split = params.choice("split", SPLITS, "test" if tested else "validation")
    sides = [comparison.Side(side.run, side.version.digest) for side in (a, b)]
    result = comparison.compare(session(), sides[0], sides[1], split)
    here = partial(url_for, "compare.index", a=a.name, b=b.name, split=split)
    return {
        "both": (a, b),
        "split": split,
        "splits": [(name, name) for name in SPLITS],
        "swap": url_for("compare.index", a=b.name, b=a.name, split=split),
        "result": result,
        "sentence": sentence(result, split),
        "texts": [
            ("System prompt", prompts.word_diff(a.version.system_prompt, b.version.system_prompt)),
            ("Output prompt", prompts.word_diff(a.version.output_prompt, b.version.output_prompt)),
        ],
        "settings_differ": [
            (name.replace(".", ": ").replace("_", " "), in_words(old) or "–", in_words(new) or "–")
            for name, old, new in comparison.differences(a.run.spec, b.run.spec, UNTOLD)
        ],
        **_examples(a, b, split, here),
    }


def _examples(a: Side, b: Side, split: str, here: partial[str]) -> dict[str, Any]:
    if a.run.id != b.run.id:
        return {"rows": None}
    show, place = params.choice("show", CHANGES), params.whole("after")
    rows = runs.before_after(
        session(),
        a.run,
        a.version.digest,
        b.version.digest,
        split=split,
        change=show or None,
        after=place,
        limit=PAGE + 1,
    )
    return {
        "rows": rows[:PAGE],
        "shows": [(title, here(show=value or None), value == show) for value, title in SHOWS],
        "first": here(show=show or None) if place else "",
        "more": here(show=show or None, after=rows[PAGE - 1].cursor) if len(rows) > PAGE else "",
    }


def sentence(result: Comparison, split: str) -> str:
    """What the comparison says, and what it does not."""
    paired = result.paired
    if paired is None:
        return "The two runs used different examples, so their scores stand side by side and cannot be paired."
    if not paired.n or paired.delta is None:
        return f"No {split} example was scored for both versions."
    return f"{_finding(paired)} {_caution(split)}".strip()


def _finding(paired: Paired) -> str:
    sure = paired.p_value is not None and paired.p_value < ALPHA
    if not sure or not paired.delta:
        return f"No clear difference on {paired.n} shared examples: {signed(paired.delta)}, {p_value(paired.p_value)}."
    word = "better" if paired.delta > 0 else "worse"
    return f"After is {word} by {abs(paired.delta):.3f} on {paired.n} shared examples, {p_value(paired.p_value)}."


def _caution(split: str) -> str:
    if split == "validation":
        return "Validation chose between proposals, so it flatters the chosen one."
    return "These examples were shown to the optimizer." if split == "train" else ""
