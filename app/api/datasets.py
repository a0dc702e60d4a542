"""/datasets: list, import, show."""

from __future__ import annotations

from typing import BinaryIO, cast

from flask import Blueprint, Response, request, url_for

from app import wiring
from app.api import context, shapes
from app.api.context import answer, backend, body, page_size, session, text
from app.api.openapi import Parameter, describe, paged, whole
from app.api.shapes import page
from app.services import datasets as service
from app.services import documents
from app.services.errors import Invalid, Problem
from app.services.pictures import Nowhere, open_archive
from app.services.pictures.serving import POLICY, served

routes = Blueprint("datasets", __name__, url_prefix="/datasets")
SEARCH = Parameter("words that must each occur")
UPLOAD = {
    "file": "CSV or JSONL",
    "name": "name of the dataset; the file's name when left out",
    "input_column": "column of the inputs, where its name does not say so",
    "answer_column": "column of the reference answers",
    "image_column": 'column of the images; "-" for no images',
    "images": "ZIP with the images that the table names as files",
}
IMAGES = dict.fromkeys(("image/png", "image/jpeg", "image/webp"), "an image of an example")


@routes.get("")
@describe(page(shapes.Dataset), query={"search": SEARCH, **paged(whole("a dataset's number"))})
def list_all() -> Response:
    """The datasets, the newest first: search, after (a dataset's id), limit."""
    size, search, after = page_size(), request.args.get("search", "").strip(), context.whole("after", 0)
    found = service.list_datasets(session(), search=search, after=after or None, limit=size)
    items = [documents.dataset(row) for row in found]
    return answer({"items": items, "next": items[-1]["id"] if len(items) == size else None})


@routes.post("")
@describe(shapes.FullDataset, 201, files=UPLOAD)
def import_file() -> Response:
    """Import an uploaded file: multipart with file, and optionally images (a ZIP), name, and the columns: input_column,
    answer_column, image_column ("-" for no images).
    """
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise Invalid([Problem("file", "is needed: send the file as multipart/form-data under this name")])
    archive = request.files.get("images")
    place = open_archive(cast(BinaryIO, archive.stream)) if archive and archive.filename else Nowhere()
    named = (request.form.get(f"{name}_column") or None for name in ("input", "answer", "image"))
    row = service.import_file(
        session(),
        cast(BinaryIO, upload.stream),
        upload.filename,
        service.Columns(*named),
        name=request.form.get("name", ""),
        limits=service.limits_of(backend().settings),
        images=wiring.image_loader(backend().settings, place),
    )
    return answer(documents.dataset(row, full=True), 201, Location=url_for("api.datasets.show", key=row.id))


@routes.get("/images/<digest>")
@describe(IMAGES, query={"size": Parameter("whole when left out", choices=("whole", "small"))})
def image(digest: str) -> Response:
    """An image of an example, as it is sent to models: size=small for a small one."""
    small = request.args.get("size") == "small"
    content, kind = served(wiring.image_files(backend().settings), digest, small=small)
    return Response(content, mimetype=kind, headers={"Content-Security-Policy": POLICY})


@routes.get("/samples")
@describe(page(shapes.BundledSample))
def samples() -> Response:
    """The samples that come with Whetstone."""
    return answer({"items": [documents.bundled(one) for one in service.sample_files()], "next": None})


@routes.post("/samples")
@describe(shapes.FullDataset, 201, body=shapes.SampleName)
def take_sample() -> Response:
    """Import a bundled sample, or give the dataset that it became before."""
    loader = wiring.image_loader(backend().settings)
    row = service.import_sample(session(), text(body(), "filename"), loader)
    return answer(documents.dataset(row, full=True), 201, Location=url_for("api.datasets.show", key=row.id))


@routes.get("/<key>")
@describe(shapes.FullDataset)
def show(key: str) -> Response:
    """One dataset by name or number, with its statistics and import report."""
    return answer(documents.dataset(service.get(session(), key), full=True))


@routes.delete("/<key>")
@describe(None, 204)
def delete(key: str) -> Response:
    """Take it out of the lists. Runs that use it keep its examples."""
    service.delete(session(), service.get(session(), key))
    return Response(status=204)


@routes.get("/<key>/examples")
@describe(page(shapes.Example), query={"search": SEARCH, **paged(whole("a row's number"))})
def examples(key: str) -> Response:
    """Its examples: after (row number), limit, search."""
    size, after, search = page_size(), context.whole("after", 0), request.args.get("search", "").strip()
    dataset = service.get(session(), key)
    rows = service.examples(session(), dataset, after=after, limit=size, search=search)
    items = [
        {"row": one.row, "input": one.input, "answer": one.reference, "extra": one.extra, "image": one.image}
        for one in rows
    ]
    full = len(items) == size
    following = items[-1]["row"] if full else service.searched_up_to(session(), dataset, after, search)
    return answer({"items": items, "next": following})
