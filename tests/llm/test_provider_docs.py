"""The page on providers names every provider and every variable that is read, and says of each way how it was tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.llm.known import KNOWN, Known
from tests.llm.worlds import SIMULATED, WORLDS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "providers.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("known", KNOWN.values(), ids=list(KNOWN))
def test_every_provider_is_described(known: Known) -> None:
    assert f"`{known.name}/" in PAGE
    for variable in (*known.keys, *known.bases):
        assert f"`{variable}`" in PAGE


def test_the_page_says_which_ways_keep_the_contract_over_a_wire_and_which_never_met_one() -> None:
    table = PAGE.partition("| way | contract |")[2].partition("\n\n")[0].splitlines()[2:]
    said = {way.strip(): how.strip() for _, way, how, *_ in (line.split("|") for line in table)}
    tested = {**{world.way: "wire" for world in WORLDS}, SIMULATED.way: "in process"}
    assert {way: how for way, how in said.items() if how != "construction"} == tested
