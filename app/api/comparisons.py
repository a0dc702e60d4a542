"""/compare: versions side by side as runs have measured them; /comparisons: measure versions on a dataset."""

from __future__ import annotations

from contextlib import closing

from flask import Blueprint, Response, request, url_for

from app import wiring
from app.api import context
from app.api.context import answer, backend, body, page_size, session, text
from app.api.openapi import Parameter, describe, paged, whole
from app.api.shapes import StartedRun, page
from app.api.shapes import comparisons as shapes
from app.ports.llm import Json
from app.services import comparison, documents
from app.services.comparison import FIELD, SPLITS, Side
from app.services.errors import Invalid, Problem

routes = Blueprint("comparisons", __name__)


SPLIT = Parameter("which examples; test when left out", choices=SPLITS)
OF = Parameter("a run, as RUN or RUN:NUMBER; given two to eight times")
ASKED = {FIELD: OF, "split": SPLIT}
CHANGE = Parameter("only these examples", choices=("", *comparison.CHANGES))


@routes.get("/compare")
@describe(shapes.Comparison, query=ASKED)
def compare() -> Response:
    """Versions against the first: of (RUN or RUN:NUMBER, two to eight times), split."""
    sides, split = _asked()
    return answer(comparison.document(comparison.compare(session(), sides, split), split))


@routes.get("/compare/examples")
@describe(page(shapes.ComparedExample), query=ASKED | {"change": CHANGE} | paged(whole("an example's id")))
def examples() -> Response:
    """Their answers, example by example: of, split, change (fixed, broken, both_wrong, both_right, unscored), after, limit."""
    sides, split = _asked()
    size, change = page_size(), _choice("change", ("", *comparison.CHANGES), "")
    rows = comparison.examples(session(), sides, split, change=change, after=context.whole("after", 0), limit=size)
    items = [comparison.row(one, [side.address for side in sides]) for one in rows]
    return answer({"items": items, "next": items[-1]["id"] if len(items) == size else None})


@routes.post("/comparisons/estimate")
@describe(shapes.ComparisonEstimate, body=shapes.ComparisonOrder)
def estimate() -> Response:
    """What a comparison on a dataset may take at most; usd is null when a price is unknown."""
    found = comparison.estimate(session(), _spec(body()), gateway=backend().gateway)
    return answer(documents.values(found))


@routes.post("/comparisons")
@describe(StartedRun, 201, body=shapes.NamedComparisonOrder)
def start() -> Response:
    """Start one: version (two to eight of NAME@NUMBER-or-label or RUN:NUMBER), dataset, part, and fields of a training."""
    given = body()
    name = text({"name": given.pop("name", "")}, "name")
    run = comparison.start(session(), _spec(given), name=name)
    document = {**documents.run(run), "hinted": backend().enqueue(run.id)}
    return answer(document, 201, Location=url_for("api.runs.show", run_id=run.id))


def _asked() -> tuple[list[Side], str]:
    return comparison.sides(session(), request.args.getlist(FIELD)), _choice("split", SPLITS, SPLITS[0])


def _choice(name: str, options: tuple[str, ...], default: str) -> str:
    said = request.args.get(name, default)
    if said not in options:
        raise Invalid([Problem(name, f"must be one of {', '.join(filter(None, options))}, not {said[:40]!r}")])
    return said


def _spec(given: dict[str, Json]) -> Json:
    settings = backend().settings
    with closing(wiring.open_tools(settings)) as tools:
        return comparison.parse(session(), given, settings=settings, gateway=backend().gateway, tools=tools)
