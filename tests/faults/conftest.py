"""What the fault tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.openai_server import OpenAIServer
from tests.fakes.serving import Ledger
from tests.faults.oracle import end_state
from tests.faults.stand import Stand
from tests.servers import migrated


@pytest.fixture(scope="session")
def provider() -> Iterator[OpenAIServer]:
    """One provider for all: a training's record names its address."""
    with OpenAIServer() as server:
        assert isinstance(server, OpenAIServer)
        yield server


@pytest.fixture(scope="session")
def fault_free(provider: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """End state of the stand's training when nothing happens."""
    url = f"sqlite:///{tmp_path_factory.mktemp('fault-free')}/app.db"
    stand = Stand(url, provider)
    stand.database.upgrade()
    provider.play()
    found = end_state(stand.database, stand.done())
    stand.close()
    return found


@pytest.fixture(params=["sqlite"])
def stand(request: pytest.FixtureRequest, tmp_path: Path, provider: OpenAIServer, fault_free: str) -> Iterator[Stand]:
    """A stand on a new database (SQLite unless the test asks for another), with a provider that is in order."""
    provider.play()
    provider.ledger = Ledger()
    stand = Stand(migrated(request, tmp_path), provider)
    yield stand
    provider.play()
    stand.close()
