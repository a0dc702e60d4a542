"""/runs/<id>: what its charts and matrices show."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.api.context import answer, session
from app.api.openapi import Parameter, describe
from app.api.shapes import Shape, Time
from app.services import figures, runs
from app.services.errors import Invalid, Problem
from app.services.runs.tables import version_numbers

routes = Blueprint("figures", __name__, url_prefix="/runs")
SPLITS = ("validation", "test", "train")


class Role(Shape):
    """What had come back for one role; known_usd leaves out replies of unknown price."""

    calls: int
    tokens: int
    known_usd: float


class Point(Shape):
    """Everything so many seconds after the first call, by role."""

    seconds: int
    roles: dict[str, Role]


class Timeline(Shape):
    """How calls, tokens and cost grew; start is null while no call is on record."""

    start: Time | None
    unpriced_calls: int
    points: list[Point]


class Matrix(Shape):
    """The answers of one version: a row for each expected label, a column for each answered one and one for others."""

    number: int
    n: int
    asked: int
    agreeing: int
    counts: list[list[int]]


class Confusion(Shape):
    """The matrices of the versions that were asked on a split; labels is empty when the answers are not few labels."""

    run: str
    split: str
    labels: list[str]
    versions: list[Matrix]


@routes.get("/<run_id>/timeline")
@describe(Timeline)
def timeline(run_id: str) -> Response:
    """How calls, tokens and cost grew over time, by role."""
    return answer(figures.timeline(runs.timeline(session(), runs.get(session(), run_id))))


@routes.get("/<run_id>/confusion")
@describe(Confusion, query={"split": Parameter("which examples", choices=("", *SPLITS))})
def confusion(run_id: str) -> Response:
    """Which label each version answered where which was expected: split (validation, test or train)."""
    run, split = runs.get(session(), run_id), request.args.get("split") or SPLITS[0]
    if split not in SPLITS:
        raise Invalid([Problem("split", f"must be one of {', '.join(SPLITS)}, not {split[:40]!r}")])
    numbers = version_numbers(session(), run)
    found = runs.confusions(session(), run, list(numbers), split)
    tables = sorted(((numbers[digest], one) for digest, one in found.items()), key=lambda each: each[0])
    return answer(figures.confusions(run, split, tables))
