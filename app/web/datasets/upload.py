"""A file becomes a dataset in two steps: first it is shown what it would become, then it is imported."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path, PurePath
from typing import IO, BinaryIO, cast

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core.datasets import NO_IMAGE
from app.core.datasets import Mapping as Chosen
from app.services import datasets
from app.services.errors import Conflict, Invalid, NotFound, Problem
from app.services.pictures import Nowhere, open_archive
from app.store.models import Dataset
from app.web import params
from app.web.context import backend, settings
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
    archive = request.files.get("images")
    images = archive.stream if archive and archive.filename else None
    if images and (problem := _archive_problem(images)):
        return _form((problem,))
    kept = keep(folder(), sent.stream, sent.filename, images)
    following = url_for("datasets.preview", token=kept.token)
    if request.accept_mimetypes.best == "application/json":  # our script goes there, and shows how far the reading is
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
    return _preview(find(folder(), token), params.text("name"), _columns(request.args))


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
    columns = _columns(request.form)
    if request.form.get("do") == "look":
        named = {f"{field}_column": value for field, value in vars(columns).items()}
        return redirect(url_for("datasets.preview", token=token, name=name, **named), 303)
    try:
        made = _imported(kept, name, columns)
    except Invalid as error:
        return _preview(kept, name, columns, problems=error.problems)
    except Conflict as error:
        return _preview(kept, name, columns, problems=(Problem("name", str(error)),))
    kept.forget()
    dropped = made.report["dropped_total"]
    lost = made.report.get("images", {}).get("problems_total", 0)
    told = [f"{made.rows} rows", *([f"{dropped} dropped"] if dropped else [])]
    told += [f"{lost} image{'s' if lost > 1 else ''} could not be loaded"] if lost else []
    flash(f"{made.name} is imported: {', '.join(told)}.", "good")
    return redirect(url_for("datasets.show", dataset_id=made.id), 303)


def _columns(given: Mapping[str, str]) -> datasets.Columns:
    """The columns' names as they stand in the file, spaces and all; None where none was chosen."""
    return datasets.Columns(*(given.get(f"{field}_column") or None for field in ("input", "answer", "image")))


def _archive_problem(stream: IO[bytes]) -> Problem | None:
    """What is wrong with a ZIP of images; it is rewound."""
    most, size = settings().images.archive_max_mb, stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if size > most * 2**20:
        return Problem(
            "images", f"the ZIP has {size / 2**20:.1f} MB, more than {most} MB (setting images.archive_max_mb)"
        )
    try:
        open_archive(cast(BinaryIO, stream))
    except Invalid as error:
        return error.problems[0]
    stream.seek(0)
    return None


def _imported(kept: Kept, name: str, columns: datasets.Columns) -> Dataset:
    with ExitStack() as stack:
        stream = stack.enter_context(kept.open())
        place = open_archive(stack.enter_context(kept.archive.open("rb"))) if kept.archive else Nowhere()
        return datasets.import_file(
            session(),
            stream,
            kept.filename,
            columns,
            name=name,
            limits=datasets.limits_of(settings()),
            progress=kept.tell(),
            images=backend().image_loader(place),
        )


def _form(problems: tuple[Problem, ...] = ()) -> ResponseReturnValue:
    page = render_template(
        "datasets/new.html",
        problems=problems,
        errors=by_field(Invalid(problems)),
        limits=settings().uploads,
        image_limits=settings().images,
        samples=datasets.samples_to_import(session()),
    )
    return page, 422 if problems else 200


def _preview(
    kept: Kept, name: str, columns: datasets.Columns, problems: tuple[Problem, ...] = ()
) -> ResponseReturnValue:
    try:
        with kept.open() as stream:
            limits = datasets.limits_of(settings())
            seen = datasets.preview(stream, kept.filename, columns, limits=limits, progress=kept.tell())
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
        chosen=_chosen(seen.mapping, columns),
        problems=problems,
        errors=by_field(Invalid(told)),
        bars=bars(figures) if figures else ([], 0),
        lengths=lengths(figures) if figures else [],
        listed=LISTED,
    )
    return page, 422 if told else 200


def _chosen(mapping: Chosen | None, asked: datasets.Columns) -> tuple[str, str, str]:
    """What the three choices of columns show."""
    if mapping is None:
        return asked.input or "", asked.answer or "", asked.image or ""
    return mapping.input, mapping.answer, mapping.image or NO_IMAGE
