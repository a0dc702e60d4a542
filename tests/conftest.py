"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["tests.servers"]

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data with oracle numbers; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("WHETSTONE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "MANIFEST.json").is_file():
        pytest.skip(f"the shared test data is not at {folder} (set WHETSTONE_SHARED_DATA)")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browsers come last: Playwright leaves an event loop running in the main thread, and no other one can run beside it."""
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))
