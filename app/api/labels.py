"""/datasets/<key>/labels, versions, changes: doubtful answers, rulings, corrected versions."""

from __future__ import annotations

from flask import Blueprint, Response, request, stream_with_context, url_for

from app.api import shapes
from app.api.context import answer, backend, body, page_size, session, text
from app.api.openapi import Parameter, describe, paged
from app.api.shapes import page
from app.core.datasets.doctor import SIGNS
from app.services import datasets as service
from app.services import documents, labels
from app.services.errors import NotFound

routes = Blueprint("labels", __name__, url_prefix="/datasets")
SIGN = Parameter("only with this sign", choices=("", *SIGNS))
STATE = Parameter("ruled or not", choices=("", *labels.STATES))


@routes.get("/<key>/labels")
@describe(page(shapes.Doubt), query={"sign": SIGN, "state": STATE, **paged("its place")})
def doubts(key: str) -> Response:
    """Its doubtful examples, the most doubtful first: sign, state, after (next of the page before), limit."""
    size, dataset = page_size(), service.get(session(), key)
    wanted = {name: request.args.get(name, "") for name in ("sign", "state", "after")}
    cases = labels.cases(session(), dataset, **wanted, limit=size)
    following = cases[-1].cursor if len(cases) == size else None
    return answer({"items": [documents.doubt(case) for case in cases], "next": following})


@routes.put("/<key>/labels/<int:row>")
@describe(shapes.RuledRow, body=shapes.Ruling)
def rule(key: str, row: int) -> Response:
    """Rule about a row: ruling (keep, correct or exclude), reference for correct, note."""
    given, dataset = body(), service.get(session(), key)
    decision = labels.Decision(text(given, "ruling"), text(given, "reference", ""), text(given, "note", ""))
    ruling = labels.rule(session(), dataset, row, decision, most_chars=backend().settings.uploads.max_cell_chars)
    return answer({"dataset": dataset.name, "row": row, **documents.ruling(ruling)})


@routes.delete("/<key>/labels/<int:row>")
@describe(None, 204)
def take_back(key: str, row: int) -> Response:
    """Take the ruling about a row back."""
    dataset = service.get(session(), key)
    if row not in labels.rulings_of(session(), dataset):
        raise NotFound(f"there is no ruling about row {row} of {dataset.name}")
    labels.take_back(session(), dataset, row)
    return Response(status=204)


@routes.post("/<key>/versions")
@describe(shapes.FullDataset, 201)
def make_version(key: str) -> Response:
    """Make the corrected version from the rulings; the same rulings again give the same version."""
    made = labels.make_version(session(), service.get(session(), key))
    return answer(documents.dataset(made, full=True), 201, Location=url_for("api.datasets.show", key=made.id))


@routes.get("/<key>/versions")
@describe(page(shapes.Dataset))
def versions(key: str) -> Response:
    """Every version of it, the oldest first."""
    found = labels.versions(session(), service.get(session(), key))
    return answer({"items": [documents.dataset(one) for one in found], "next": None})


@routes.get("/<key>/export")
@describe({"text/csv": "the rows"})
def export(key: str) -> Response:
    """Its rows as CSV."""
    dataset = service.get(session(), key)
    rows = stream_with_context(service.export_csv(session(), dataset))
    headers = {"Content-Disposition": f'attachment; filename="dataset-{dataset.id}.csv"'}
    return Response(rows, mimetype="text/csv", headers=headers)


@routes.get("/<key>/changes")
@describe(page(shapes.Change), query={"against": Parameter("name or number of another version")})
def changes(key: str) -> Response:
    """What it changed: against (name or number of another version), else the one that it was made from."""
    dataset, against = service.get(session(), key), request.args.get("against", "")
    other = service.get(session(), against) if against else labels.parent(session(), dataset)
    found = labels.difference(session(), other, dataset) if other else []
    return answer({"items": [documents.values(one) for one in found], "next": None})
