"""A migrated database, the application over it and a client, for every test of the pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.config import Settings
from app.store.database import Database
from app.web import create_app
from app.web.context import Backend


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database, migrated."""
    database = Database(f"sqlite:///{tmp_path / 'app.db'}")
    database.upgrade()
    yield database
    database.engine.dispose()


@pytest.fixture
def queued() -> list[str]:
    """Ids of the runs that the pages handed to a worker."""
    return []


@pytest.fixture
def app(tmp_path: Path, database: Database, queued: list[str]) -> Flask:
    """The application with a key of its own and without a broker."""

    def enqueue(run_id: str) -> bool:
        queued.append(run_id)
        return True

    settings = Settings(
        data_dir=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'app.db'}",
        redis_url="redis://127.0.0.1:1/0",
        secret_key="a key for tests",
    )
    return create_app(Backend(settings, database.engine, enqueue))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without scripts that sends no CSRF mark by itself (see ``post``)."""
    return app.test_client()
