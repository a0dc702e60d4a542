"""One database session per request: Flask-SQLAlchemy around our own tables, on the engine that everyone shares."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.store.models import Base


class _OnSharedEngine(SQLAlchemy):
    """Takes the engine that the store configured (pragmas, locking, pre-ping) instead of making its own."""

    def _make_engine(self, bind_key: str | None, options: dict[str, Any], app: Flask) -> Engine:
        del bind_key, options
        engine: Engine = app.extensions["shared_engine"]
        return engine


db = _OnSharedEngine(metadata=Base.metadata)


def connect(app: Flask, engine: Engine) -> None:
    """Let this application's requests use the engine."""
    app.extensions["shared_engine"] = engine
    db.init_app(app)


def session() -> Session:
    """The current request's session; it is closed when the request ends, and what was not committed is rolled back."""
    return db.session()
