"""The JSON API under /api/v1: the same services as the pages; every refusal is {"errors": [{"field", "message"}]}.

On this machine alone there is no login yet. So that no foreign page can act through a visitor's browser, what changes something
must be JSON (or an upload) and must not come from another origin.
"""

from __future__ import annotations

import logging

from flask import Blueprint, Flask, Response, request
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from app.api import benchmarks, datasets, labels, models, prompts, reviews, runs, spending, trainings
from app.api.context import answer, close_session
from app.services.errors import Conflict, Invalid, NotFound

logger = logging.getLogger(__name__)

PARTS = (
    datasets.routes,
    labels.routes,
    models.routes,
    prompts.routes,
    trainings.routes,
    benchmarks.routes,
    reviews.routes,
    runs.routes,
    spending.routes,
)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
ANY = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def attach(app: Flask) -> Flask:
    """Add the API to an application whose extension "whetstone" is a context.Backend."""
    api = Blueprint("api", __name__, url_prefix="/api/v1")
    for part in PARTS:
        api.register_blueprint(part)
    api.add_url_rule("/<path:rest>", "unknown", _unknown, methods=ANY)
    api.before_request(_refuse_foreign)
    api.teardown_request(close_session)
    _register_errors(api)
    app.register_blueprint(api)
    for blueprint in (api, *PARTS):
        app.extensions["csrf"].exempt(blueprint)  # _refuse_foreign stands in for the form tokens
    return app


def _register_errors(api: Blueprint) -> None:
    api.register_error_handler(Invalid, lambda e: _errors(422, *((p.field, p.message) for p in e.problems)))
    api.register_error_handler(NotFound, lambda e: _errors(404, ("", str(e))))
    api.register_error_handler(Conflict, lambda e: _errors(409, ("", str(e))))
    api.register_error_handler(HTTPException, lambda e: _errors(e.code or 500, ("", e.description or e.name)))
    api.register_error_handler(DBAPIError, _database_fault)
    api.register_error_handler(Exception, _fault)


def _errors(status: int, *problems: tuple[str, str]) -> Response:
    return answer({"errors": [{"field": field, "message": message} for field, message in problems]}, status)


def _unknown(rest: str) -> Response:
    return _errors(404, ("", f"there is nothing at /api/v1/{rest[:200]}"))


def _database_fault(error: DBAPIError) -> Response:
    logger.error("the database failed during %s %s", request.method, request.path, exc_info=error)
    return _errors(503, ("", "the database does not answer; nothing was changed, try again"))


def _fault(error: Exception) -> Response:
    logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return _errors(500, ("", "a fault of ours; the log of the web server says more"))


def _refuse_foreign() -> Response | None:
    """Refuse what a page of another origin could send with a plain form or script."""
    if request.method in SAFE:
        return None
    origin = request.headers.get("Origin", "")
    if origin and origin != request.host_url.rstrip("/"):
        return _errors(403, ("", f"requests from {origin[:200]} are not accepted here"))
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return _errors(403, ("", "requests from other sites are not accepted here"))
    wanted = "multipart/form-data" if request.endpoint == "api.datasets.import_file" else "application/json"
    if request.method in ("POST", "PUT", "PATCH") and request.mimetype != wanted:
        return _errors(415, ("", f"Content-Type must be {wanted}"))
    return None
