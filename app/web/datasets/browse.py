"""The list of datasets, and the samples that come with the product."""

from __future__ import annotations

from functools import partial

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.services import datasets
from app.web import params
from app.web.context import backend
from app.web.database import session
from app.web.datasets.page import pages

PAGE = 50


@pages.get("")
def index() -> ResponseReturnValue:
    """All datasets, the newest first."""
    search, after = params.text("search"), params.whole("after")
    found = datasets.list_datasets(session(), search=search, after=after or None, limit=PAGE + 1)
    rows, here = found[:PAGE], partial(url_for, "datasets.index", search=search or None)
    samples = datasets.samples_to_import(session())
    return render_template(
        "datasets/index.html",
        rows=rows,
        search=search,
        samples=samples,
        any=bool(rows or search or after),
        first=here() if after else "",
        more=here(after=rows[-1].id) if len(found) > PAGE else "",
    )


@pages.post("/samples")
def take_sample() -> ResponseReturnValue:
    """Import a bundled sample."""
    made = datasets.import_sample(session(), params.clean(request.form.get("filename", "")), backend().image_loader())
    flash(f"{made.name} is imported: {made.rows} rows.", "good")
    return redirect(url_for("datasets.show", dataset_id=made.id), 303)
