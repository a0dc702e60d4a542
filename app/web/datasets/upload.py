"""A file becomes a dataset in two steps: first it is shown what it would become, then it is imported."""

from __future__ import annotations

from pathlib import Path, PurePath

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.services import datasets
from app.services.errors import Conflict, Invalid, NotFound, Problem
from app.store.models import Dataset
from app.web import params
from app.web.context import settings
from app.web.database import session
from app.web.datasets.kept import Kept, find, keep
from app.web.datasets.page import bars, lengths, pages
from app.web.errors import by_field

LISTED = 50
"""Dropped rows that a page lists."""


def folder() -> Path:
    """Where uploads wait."""
    return settings().data_dir / "uploads"


@pages.get("/new")
def new() -> ResponseReturnValue:
    """The form that takes a file."""
    return _form()


@pages.post("/new")
def upload() -> ResponseReturnValue:
    """Keep the file and show what it would become."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return _form((Problem("file", "choose a CSV or JSON Lines file"),))
    kept = keep(folder(), sent.stream, sent.filename)
    following = url_for("datasets.preview", token=kept.token)
    if (
        request.accept_mimetypes.best == "application/json"
    ):  # our script goes there by itself, and shows how far the reading is
        return jsonify(next=following, progress=url_for("datasets.progress", token=kept.token))
    return redirect(following, 303)


@pages.get("/uploads/<token>/progress")
def progress(token: str) -> ResponseReturnValue:
    """How far the work on a file has come: bytes done and in all, null while nothing is known."""
    told = find(folder(), token).told()
    return jsonify(done=told[0] if told else None, whole=told[1] if told else None)


@pages.get("/uploads/<token>")
def preview(token: str) -> ResponseReturnValue:
    """What the file would become with these columns."""
    kept = find(folder(), token)
    return _preview(
        kept, params.text("name"), _column(request.args.get("input_column")), _column(request.args.get("answer_column"))
    )


@pages.post("/uploads/<token>")
def confirm(token: str) -> ResponseReturnValue:
    """Import the file, or let it go."""
    try:
        kept = find(folder(), token)
    except NotFound:  # sent twice, or in two tabs
        flash("That upload is imported already, or was let go.", "warn")
        return redirect(url_for("datasets.index"), 303)
    if request.form.get("do") == "forget":
        kept.forget()
        return redirect(url_for("datasets.index"), 303)
    name = params.clean(request.form.get("name", ""))
    columns = _column(request.form.get("input_column")), _column(request.form.get("answer_column"))
    if request.form.get("do") == "look":
        again = url_for("datasets.preview", token=token, name=name, input_column=columns[0], answer_column=columns[1])
        return redirect(again, 303)
    try:
        made = _imported(kept, name, *columns)
    except Invalid as error:
        return _preview(kept, name, *columns, problems=error.problems)
    except Conflict as error:
        return _preview(kept, name, *columns, problems=(Problem("name", str(error)),))
    kept.forget()
    dropped = made.report["dropped_total"]
    flash(f"{made.name} is imported: {made.rows} rows" + (f", {dropped} dropped." if dropped else "."), "good")
    return redirect(url_for("datasets.show", dataset_id=made.id), 303)


def _column(name: str | None) -> str | None:
    """A column's name as it stands in the file, spaces and all; None when none was chosen."""
    return name or None


def _imported(kept: Kept, name: str, input_column: str | None, answer_column: str | None) -> Dataset:
    with kept.open() as stream:
        return datasets.import_file(
            session(),
            stream,
            kept.filename,
            name=name,
            input_column=input_column,
            answer_column=answer_column,
            limits=datasets.limits_of(settings()),
            progress=kept.tell(),
        )


def _form(problems: tuple[Problem, ...] = ()) -> ResponseReturnValue:
    page = render_template(
        "datasets/new.html", problems=problems, errors=by_field(Invalid(problems)), limits=settings().uploads
    )
    return page, 422 if problems else 200


def _preview(
    kept: Kept, name: str, input_column: str | None, answer_column: str | None, problems: tuple[Problem, ...] = ()
) -> ResponseReturnValue:
    try:
        with kept.open() as stream:
            seen = datasets.preview(
                stream,
                kept.filename,
                input_column=input_column,
                answer_column=answer_column,
                limits=datasets.limits_of(settings()),
                progress=kept.tell(),
            )
    except Invalid as error:  # the file itself cannot be read: only another file helps
        kept.forget()
        return _form(error.problems)
    told = [*problems, *([seen.problem] if seen.problem and not problems else [])]
    figures = seen.statistics
    page = render_template(
        "datasets/preview.html",
        kept=kept,
        name=name or PurePath(kept.filename).stem,
        seen=seen,
        chosen=(seen.mapping.input, seen.mapping.answer) if seen.mapping else (input_column or "", answer_column or ""),
        problems=problems,
        errors=by_field(Invalid(told)),
        bars=bars(figures) if figures else ([], 0),
        lengths=lengths(figures) if figures else [],
        listed=LISTED,
    )
    return page, 422 if told else 200
