"""The worlds of the contract's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.llm.wires import Wire
from tests.llm.worlds import SIMULATED, WORLDS, World


@pytest.fixture(scope="module", params=WORLDS, ids=lambda world: world.name)
def running(request: pytest.FixtureRequest) -> Iterator[tuple[World, Any]]:
    """Each adapter with a wire, and its fake."""
    world: World = request.param
    with world.server() as server:
        yield world, server


@pytest.fixture
async def wire(running: tuple[World, Any]) -> AsyncIterator[Wire]:
    """An adapter over its wire."""
    found = Wire.to(*running)
    yield found
    await found.adapter.aclose()


@pytest.fixture(scope="module", params=[*WORLDS, SIMULATED], ids=lambda world: world.name)
def provided(request: pytest.FixtureRequest) -> Iterator[tuple[World, Any]]:
    """Each adapter with what it answers from."""
    world: World = request.param
    with world.server() as server:
        yield world, server


@pytest.fixture
async def provider(provided: tuple[World, Any]) -> AsyncIterator[Wire]:
    """An adapter, over a wire or not."""
    found = Wire.to(*provided)
    yield found
    await found.adapter.aclose()
