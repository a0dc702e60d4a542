"""What the fault tests share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.llm.gateway import Gateway
from app.services.drive import drive
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.serving import Ledger
from tests.faults.oracle import end_state
from tests.faults.stand import Stand
from tests.jobs.conftest import Workplace
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


@pytest.fixture(scope="session")
def slow_provider() -> Iterator[OpenAIServer]:
    """A provider that takes 50 ms for a call, so that calls are under way when something happens."""
    with OpenAIServer(latency_s=0.05) as server:
        assert isinstance(server, OpenAIServer)
        yield server


@pytest.fixture(params=["sqlite"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, redis_url: str, slow_provider: OpenAIServer
) -> Iterator[Workplace]:
    """A workplace on a new database (SQLite unless the test asks for another), without a worker yet."""
    slow_provider.play()
    slow_provider.ledger = Ledger()
    place = Workplace(tmp_path, redis_url, slow_provider, migrated(request, tmp_path))
    yield place
    place.close()


@dataclass(frozen=True)
class FaultFree:
    """What a workplace's training comes to when nothing happens, and how many calls it takes."""

    state: str
    calls: int


@pytest.fixture(scope="session")
def undisturbed(slow_provider: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> FaultFree:
    """The training of a workplace, driven in this process."""
    folder = tmp_path_factory.mktemp("undisturbed")
    slow_provider.play()
    slow_provider.ledger = Ledger()
    place = Workplace(folder, "redis://127.0.0.1:1/0", slow_provider)
    run_id = place.queue()
    drive(run_id, database=place.database, open_llm=lambda: Gateway(place.settings, {}), owner="t:0", lease_s=30)
    found = FaultFree(end_state(place.database, run_id), slow_provider.ledger.paid)
    place.close()
    return found
