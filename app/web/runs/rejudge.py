"""Judging a finished training again: the form with a live count of what is missing, and the start."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.core import scorers
from app.core.kinds.rejudge import MISSING
from app.ports.llm import Json
from app.services import datasets, labels, rejudging
from app.services.errors import Invalid, NotFound, Problem
from app.services.rejudging.missing import Missing, count, has_more_than
from app.store.models import Dataset, Run
from app.web import params
from app.web.context import backend, settings
from app.web.database import session
from app.web.errors import by_field
from app.web.runs.page import get, pages, render

AT_ONCE = 20_000
"""Answers on record from which on what is missing is counted only when asked: each is scored again for it."""
ONCE = re.compile("[0-9a-f]{10}")


@dataclass(frozen=True)
class Lookout:
    """What judging with these settings would lack, or what stands against it."""

    spec: Json = None
    missing: Missing | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def costly(self) -> bool:
        """Whether it may cost more than a person has to agree to."""
        most = self.missing.usd_high if self.missing and self.spec["missing"] != "leave" else None
        return most is not None and most > settings().budget.confirm_usd


@pages.get("/<run_id>/rejudge")
def rejudge(run_id: str) -> ResponseReturnValue:
    """The form with the training's own rules; the address may choose a version of the dataset, and what is bought."""
    run = get(run_id)
    values = _shown(rejudging.defaults(session(), run))
    if chosen := params.text("dataset"):
        values["dataset"] = chosen
    if chosen := params.choice("missing", MISSING):
        values["missing"] = chosen
    return _form(run, values, _lookout(run, values, counted=False))


@pages.post("/<run_id>/rejudge")
def start_rejudging(run_id: str) -> ResponseReturnValue:
    """Start it, or say what stands against it."""
    run, values = get(run_id), _sent()
    lookout = _lookout(run, values, counted=True)
    problems = lookout.problems
    if lookout.costly and not request.form.get("confirmed"):
        problems = (Problem("confirmed", "it may cost more than budget.confirm_usd; tick the box to agree"),)
    if problems:
        return _form(run, values, lookout, problems)
    once = request.form.get("once", "")
    made = rejudging.start(session(), lookout.spec, once=once if ONCE.fullmatch(once) else "")
    if backend().enqueue(made.id):
        flash("The training is queued to be judged again.", "good")
    else:
        flash("It waits in the database: Redis does not answer. A worker finds it by itself within seconds.", "warn")
    return redirect(url_for("runs.overview", run_id=made.id), 303)


@pages.post("/<run_id>/rejudge/missing")
def count_missing(run_id: str) -> ResponseReturnValue:
    """The count alone, while the form is filled in."""
    run = get(run_id)
    return render(
        "runs/parts/missing.html", run, lookout=_lookout(run, _sent(), counted=bool(request.form.get("count")))
    )


def _lookout(run: Run, values: Mapping[str, str], *, counted: bool) -> Lookout:
    """counted: whatever time it takes."""
    raw: dict[str, object] = {**values, "scorer": [line for line in values["scorer"].splitlines() if line.strip()]}
    gateway = backend().gateway
    try:
        with closing(backend().open_tools()) as tools:
            spec = rejudging.parse(session(), run, raw, settings=settings(), gateway=gateway, tools=tools)
            if not counted and has_more_than(session(), run, AT_ONCE):
                return Lookout(spec)
            return Lookout(spec, count(session(), spec, gateway=gateway, tools=tools))
    except Invalid as error:
        return Lookout(problems=error.problems)


def _sent() -> dict[str, str]:
    return {name: params.clean(request.form.get(name, "").replace("\r\n", "\n")) for name in rejudging.FIELDS}


def _shown(values: Mapping[str, Json]) -> dict[str, str]:
    """As the fields show them; scorers one a line."""
    shown = {
        name: "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in values.items()
    }
    return shown | {"scorer": "\n".join(_line(text) for text in values["scorer"])}


def _line(scorer: str) -> str:
    return scorer if "\n" not in scorer else json.dumps(scorers.parse(scorer), ensure_ascii=False)


def _form(
    run: Run, values: Mapping[str, str], lookout: Lookout, problems: tuple[Problem, ...] = ()
) -> ResponseReturnValue:
    try:
        own = datasets.get(session(), run.dataset_id or 0)
    except NotFound:  # deleted: its other versions may be there
        own = session().get_one(Dataset, run.dataset_id)
    versions = {one.name: one for one in (own, *labels.versions(session(), own))}
    page = render(
        "runs/rejudge.html",
        run,
        v=values,
        versions=[(name, f"{name}, {one.rows} rows") for name, one in versions.items()],
        lookout=lookout,
        problems=problems,
        errors=by_field(Invalid(problems)),
    )
    return page, 422 if problems else 200
