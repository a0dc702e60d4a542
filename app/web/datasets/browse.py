"""The list of datasets, and the samples that come with the product."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.services import datasets
from app.web import params
from app.web.database import session
from app.web.datasets.page import pages


@pages.get("")
def index() -> ResponseReturnValue:
    """All datasets, the newest first."""
    search = params.text("search")
    rows = datasets.list_datasets(session(), search=search)
    found = datasets.list_datasets(session()) if search else rows
    names = {dataset.name for dataset in found}
    samples = [sample for sample in datasets.sample_files() if sample.name not in names]
    return render_template("datasets/index.html", rows=rows, search=search, samples=samples, any=bool(found))


@pages.post("/samples")
def take_sample() -> ResponseReturnValue:
    """Import a bundled sample."""
    made = datasets.import_sample(session(), params.clean(request.form.get("filename", "")))
    flash(f"{made.name} is imported: {made.rows} rows.", "good")
    return redirect(url_for("datasets.show", dataset_id=made.id), 303)
