"""One dataset: its rows, its figures, how it would be divided."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from app.services import datasets, labels
from app.services.errors import Invalid, Problem
from app.store.models import Dataset
from app.web import params
from app.web.context import settings
from app.web.database import session
from app.web.datasets.page import bars, get, lengths, pages
from app.web.errors import by_field

PAGE = 25
LISTED = 50
DIVIDED_AT_ONCE = 20_000
"""Larger datasets are divided only when asked: it takes the reading of every row."""
_RATIOS = re.compile(r"(\d{1,3})\s*/\s*(\d{1,3})\s*/\s*(\d{1,3})")


@dataclass(frozen=True)
class Division:
    """How the rows would be divided. parts: (name, rows, share in [0, 1], where it begins in [0, 1])."""

    parts: tuple[tuple[str, int, float, float], ...]
    part_of: dict[int, str]
    notes: tuple[str, ...]


@pages.get("/<int:dataset_id>")
def show(dataset_id: int) -> ResponseReturnValue:
    """One dataset."""
    dataset = get(dataset_id)
    search, after = params.text("search"), params.whole("after")
    ratios, seed = (
        params.text("split") or settings().training.split,
        params.text("seed") or str(settings().training.seed),
    )
    asked = "split" in request.args
    division, problems = _divided(dataset, ratios, seed) if asked or dataset.rows <= DIVIDED_AT_ONCE else (None, ())
    found = datasets.examples(session(), dataset, after=after, limit=PAGE + 1, search=search)
    full = len(found) > PAGE
    following = found[PAGE - 1].row if full else datasets.searched_up_to(session(), dataset, after, search)
    chosen: dict[str, Any] = {"search": search} if search else {}
    if asked:
        chosen |= {"split": ratios, "seed": seed}
    address = url_for("datasets.show", dataset_id=dataset.id, **chosen)
    page = render_template(
        "datasets/show.html",
        dataset=dataset,
        versions=labels.versions(session(), dataset),
        rows=found[:PAGE],
        search=search,
        first=address if after else "",
        more=url_for("datasets.show", dataset_id=dataset.id, **chosen, after=following) if following else "",
        looked_up_to=0 if full else following or 0,
        bars=bars(dataset.statistics),
        lengths=lengths(dataset.statistics),
        looks=datasets.looks(session(), dataset),
        listed=LISTED,
        tried={"split": ratios, "seed": seed},
        division=division,
        errors=by_field(Invalid(problems)),
    )
    return page, 422 if problems and asked else 200


@pages.get("/<int:dataset_id>/rows.csv")
def export(dataset_id: int) -> ResponseReturnValue:
    """All rows, streamed."""
    dataset = get(dataset_id)
    headers = {"Content-Disposition": f'attachment; filename="dataset-{dataset.id}.csv"'}
    rows = stream_with_context(datasets.export_csv(session(), dataset))
    return Response(rows, mimetype="text/csv", headers=headers)


@pages.post("/<int:dataset_id>/delete")
def delete(dataset_id: int) -> ResponseReturnValue:
    """Take a dataset out of the lists."""
    dataset = get(dataset_id)
    name = dataset.name
    datasets.delete(session(), dataset)
    flash(f"{name} is deleted.", "good")
    return redirect(url_for("datasets.index"), 303)


def _divided(dataset: Dataset, ratios: str, seed: str) -> tuple[Division | None, tuple[Problem, ...]]:
    found = _RATIOS.fullmatch(ratios.strip())
    if found is None:
        return None, (Problem("split", "write three shares in percent, as 60/20/20"),)
    if not (seed.isascii() and seed.isdigit() and int(seed[:12]) < 2**31):
        return None, (Problem("seed", f"must be a whole number from 0 to {2**31 - 1}"),)
    try:
        split = datasets.split_preview(session(), dataset, [int(part) for part in found.groups()], int(seed[:12]))
    except Invalid as error:
        return None, error.problems
    parts, begin = [], 0.0
    for name, rows in (("train", split.train), ("validation", split.validation), ("test", split.test)):
        parts.append((name, len(rows), len(rows) / dataset.rows, begin))
        begin += len(rows) / dataset.rows
    return Division(tuple(parts), split.part_of(), split.notes), ()
