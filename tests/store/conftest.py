"""The worlds that the contract tests run in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.ports.journal import Journal
from tests.store.worlds import MemoryWorld, World


@pytest.fixture(params=["memory"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A fresh run in each kind of store."""
    world = MemoryWorld()
    yield world
    await world.close()


@pytest.fixture
def journal(world: World) -> Journal:
    """The journal of the run's first worker."""
    return world.claim()
