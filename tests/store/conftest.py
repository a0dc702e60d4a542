"""Both databases, and the worlds that the contract tests run in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.ports.journal import Journal
from app.store.database import Database
from tests.servers import migrated
from tests.store.worlds import MemoryWorld, SqlWorld, World


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a new database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/app.db"
    address: str = request.getfixturevalue("postgres_url")
    return address


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    """A new database with all tables."""
    with Database(migrated_url) as database:
        yield database


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A fresh run in each kind of store."""
    if request.param == "memory":
        yield MemoryWorld()
        return
    with Database(migrated(request, tmp_path), busy_s=1) as database:
        world = SqlWorld(database)
        yield world
        world.close()


@pytest.fixture
def journal(world: World) -> Journal:
    """The journal of the run's first worker."""
    return world.claim()
