"""The page on providers names every provider and every variable that is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.llm.known import KNOWN, Known

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "providers.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("known", KNOWN.values(), ids=list(KNOWN))
def test_every_provider_is_described(known: Known) -> None:
    assert f"`{known.name}/" in PAGE
    for variable in (*known.keys, *known.bases):
        assert f"`{variable}`" in PAGE
