"""A run from another installation: its ZIP file is sent, checked and imported; and a run is taken away as such a file."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.services import runs, transfer
from app.services.errors import Invalid, Problem
from app.web import params
from app.web.context import backend, settings
from app.web.database import session
from app.web.datasets.kept import Kept, find, keep
from app.web.datasets.upload import folder
from app.web.errors import by_field
from app.web.runs.page import get, pages
from app.web.works import Work, begin


@pages.get("/import")
def choose() -> ResponseReturnValue:
    """The form that takes a file."""
    return _form()


@pages.post("/import")
def take_in() -> ResponseReturnValue:
    """Import the file that is sent, or, again, one that was sent before."""
    token, again = params.clean(request.form.get("token", "")), bool(request.form.get("again"))
    sent = request.files.get("file")
    if not token and (sent is None or not sent.filename):
        return _form((Problem("file", "choose the ZIP file of a run"),))
    kept = find(folder(), token) if token else keep(folder(), sent.stream, sent.filename or "")  # type: ignore[union-attr]
    engine, limits, images = backend().engine, transfer.Limits.of(settings()), backend().image_loader()

    def job(work: Work) -> tuple[str, bool]:
        with Session(engine) as own, kept.open() as stream:
            source = transfer.ZipSource(stream)
            made = transfer.import_run(own, source, limits, again=again, tell=work.tell, images=images)
            return made.run.id, made.already

    return begin(Work(f"Importing {kept.filename}", lambda work: _ended(work, kept)), job)


def _ended(work: Work, kept: Kept) -> ResponseReturnValue:
    if isinstance(work.error, Invalid):
        kept.forget()
        return _form(work.error.problems)
    if work.error is not None:
        raise work.error
    run_id, already = work.result
    if already:
        return _form(known=runs.get(session(), run_id), kept=kept)
    kept.forget()
    flash("The run is imported. Nothing of it was executed, and it is only looked at here.", "good")
    return redirect(url_for("runs.overview", run_id=run_id), 303)


def _form(problems: tuple[Problem, ...] = (), **values: Any) -> ResponseReturnValue:
    about = {"known": None, "kept": None, **values}
    page = render_template(
        "runs/import.html", problems=problems, errors=by_field(Invalid(problems)), limits=settings().uploads, **about
    )
    return page, 422 if problems else 200


@pages.get("/<run_id>/folder.zip")
def folder_zip(run_id: str) -> ResponseReturnValue:
    """The whole run as a ZIP file, which another installation imports."""
    run = get(run_id)
    headers = {"Content-Disposition": f'attachment; filename="{run.id}.zip"'}
    packed = runs.export_zip(session(), run, backend().image_loader().files)
    return Response(stream_with_context(packed), mimetype="application/zip", headers=headers)
