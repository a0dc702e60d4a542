"""Lists that are put in order by hand: what they send, and what is refused."""

from __future__ import annotations

import pytest
from flask import Flask

from app.services.errors import Invalid
from app.web import arranged


def read(app: Flask, values: list[str], places: list[str]) -> tuple[tuple[str, ...], ...]:
    with app.test_request_context(method="POST", data={"ranking": values, "ranking_place": places}):
        return arranged.groups("ranking", {"a", "b", "c"})


def test_the_best_comes_first_and_equal_places_are_a_tie(app: Flask) -> None:
    assert read(app, ["a", "b", "c"], ["1", "2", "3"]) == (("a",), ("b",), ("c",))
    assert read(app, ["b", "c", "a"], ["2", "2", "1"]) == (("a",), ("b", "c"))


@pytest.mark.parametrize("values", [["a", "b"], ["a", "b", "b"], ["a", "b", "c", "d"], ["a", "b", "x"], []])
def test_a_list_that_has_changed_is_refused(app: Flask, values: list[str]) -> None:
    with pytest.raises(Invalid, match="has changed meanwhile"):
        read(app, values, ["1"] * len(values))


@pytest.mark.parametrize("places", [["1", "2"], ["1", "2", "0"], ["1", "2", "-1"], ["1", "2", "²"], ["1", "", "2"]])
def test_a_place_that_is_none_is_refused(app: Flask, places: list[str]) -> None:
    with pytest.raises(Invalid, match="whole number"):
        read(app, ["a", "b", "c"], places)
