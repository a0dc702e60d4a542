"""The JSON API under /api/v1: the same services as the pages; every refusal is {"type", "errors": [{"field", "message"}]}.

On this machine alone there is no login yet. So that no foreign page can act through a visitor's browser, what changes something
must be JSON (or an upload) and must not come from another origin.
"""

from __future__ import annotations

import logging
from importlib import metadata

from flask import Blueprint, Flask, Response, current_app, request
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from app.api import (
    benchmarks,
    comparisons,
    datasets,
    figures,
    guard,
    labels,
    models,
    prompts,
    providers,
    reviews,
    runs,
    spending,
    trainings,
    transfer,
    tries,
)
from app.api.context import answer, close_session, refusal
from app.api.openapi import describe, document
from app.services.errors import Conflict, Invalid, NotFound

logger = logging.getLogger(__name__)

PARTS = (
    datasets.routes,
    labels.routes,
    models.routes,
    prompts.routes,
    providers.routes,
    trainings.routes,
    benchmarks.routes,
    reviews.routes,
    comparisons.routes,
    transfer.routes,
    tries.routes,
    runs.routes,
    figures.routes,
    spending.routes,
)
ANY = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def attach(app: Flask) -> Flask:
    """Add the API to an application whose extension "whetstone" is a context.Backend."""
    api = Blueprint("api", __name__, url_prefix="/api/v1")
    for part in PARTS:
        api.register_blueprint(part)
    api.add_url_rule("/<path:rest>", "unknown", _unknown, methods=ANY)
    api.before_request(guard.check)
    api.after_request(guard.keep)
    api.teardown_request(close_session)
    api.add_url_rule("/openapi.json", "openapi", _openapi)
    _register_errors(api)
    app.register_blueprint(api)
    app.extensions["openapi"] = document(app, metadata.version("whetstone"))
    for blueprint in (api, *PARTS):
        app.extensions["csrf"].exempt(blueprint)  # guard.check stands in for the form tokens
    return app


def _register_errors(api: Blueprint) -> None:
    api.register_error_handler(Invalid, lambda e: refusal(422, *((p.field, p.message) for p in e.problems)))
    api.register_error_handler(NotFound, lambda e: refusal(404, ("", str(e))))
    api.register_error_handler(Conflict, lambda e: refusal(409, ("", str(e))))
    api.register_error_handler(HTTPException, lambda e: refusal(e.code or 500, ("", e.description or e.name)))
    api.register_error_handler(DBAPIError, _database_fault)
    api.register_error_handler(Exception, _fault)


@describe({"application/json": "this document"})
def _openapi() -> Response:
    """What this API can do, as an OpenAPI document."""
    return answer(current_app.extensions["openapi"])


def _unknown(rest: str) -> Response:
    return refusal(404, ("", f"there is nothing at /api/v1/{rest[:200]}"))


def _database_fault(error: DBAPIError) -> Response:
    logger.error("the database failed during %s %s", request.method, request.path, exc_info=error)
    return refusal(503, ("", "the database does not answer; nothing was changed, try again"))


def _fault(error: Exception) -> Response:
    logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return refusal(500, ("", "a fault of ours; the log of the web server says more"))
