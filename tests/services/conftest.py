"""A migrated database and a session on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from app.store.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database with all tables."""
    with Database(f"sqlite:///{tmp_path}/app.db") as database:
        database.upgrade()
        yield database


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A session on it, closed afterwards."""
    with database.session() as session:
        yield session
