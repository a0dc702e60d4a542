"""/spending: what all runs have cost lately."""

from __future__ import annotations

from flask import Blueprint, Response

from app.api import context, shapes
from app.api.context import answer, session
from app.api.openapi import describe, whole
from app.services import documents
from app.services.spending import MOST_DAYS, spending

routes = Blueprint("spending", __name__, url_prefix="/spending")


@routes.get("")
@describe(shapes.Spending, query={"days": whole("how many days, with today; 30 when left out", 1, MOST_DAYS)})
def show() -> Response:
    """By day, role, model and run, real and simulated money apart: days, with today."""
    return answer(documents.spending(spending(session(), context.whole("days", 30, low=1, high=MOST_DAYS))))
