"""Whether the server lives (/healthz) and whether it can do its work (/readyz)."""

from __future__ import annotations

import redis
from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.services.patience import within
from app.web.context import settings
from app.web.database import session

pages = Blueprint("health", __name__)


@pages.get("/healthz")
def alive() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


@pages.get("/readyz")
def ready() -> ResponseReturnValue:
    """The database answers, and Redis does; without the database the status is 503, without Redis runs only wait."""
    checks = {"database": database_problem(), "redis": redis_problem()}
    body = {name: problem or "ok" for name, problem in checks.items()}
    return jsonify(status="ok" if not any(checks.values()) else "degraded", **body), 503 if checks["database"] else 200


def database_problem() -> str:
    """Why the database cannot be used, or ""."""
    try:
        session().execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        return f"does not answer ({type(error).__name__})"
    return ""


def redis_problem() -> str:
    """Why Redis cannot be used, or "". Takes at most a second."""
    address = settings().redis_address
    try:
        within(1.0, lambda: _ping(address))
    except (redis.RedisError, ValueError, TimeoutError) as error:
        return f"does not answer ({type(error).__name__})"
    return ""


def _ping(address: str) -> None:
    with redis.Redis.from_url(address, socket_timeout=0.5, socket_connect_timeout=0.5) as client:
        client.ping()
