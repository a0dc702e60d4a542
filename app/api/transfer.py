"""/runs/import: a run from another installation."""

from __future__ import annotations

from typing import BinaryIO, cast

from flask import Blueprint, Response, request, url_for

from app import wiring
from app.api import shapes
from app.api.context import answer, backend, session
from app.api.openapi import describe
from app.services import documents, transfer
from app.services.errors import Invalid, Problem

routes = Blueprint("transfer", __name__, url_prefix="/runs")

UPLOAD = {"file": "the ZIP file of an exported run", "again": "1 to import it also when it is here already"}


@routes.post("/import")
@describe(shapes.ImportedRun, files=UPLOAD)
def import_run() -> Response:
    """Import a run's ZIP file: multipart with file, and optionally again (1: also when it is here already).

    already is true when it was here, so that nothing was imported.
    """
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise Invalid([Problem("file", "is needed: send the ZIP file as multipart/form-data under this name")])
    again = request.form.get("again", "") not in ("", "0", "false")
    source = transfer.ZipSource(cast(BinaryIO, upload.stream))
    limits, images = transfer.Limits.of(backend().settings), wiring.image_loader(backend().settings)
    made = transfer.import_run(session(), source, limits, again=again, images=images)
    where = url_for("api.runs.show", run_id=made.run.id)
    return answer({**documents.run(made.run), "already": made.already}, Location=where)
