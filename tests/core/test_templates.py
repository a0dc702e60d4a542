"""Exact replacement: hostile text stays text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.templates import UnknownPlaceholder, placeholders, render


def test_every_placeholder_is_replaced_exactly() -> None:
    assert render("{{a}} and {{ b }} and {{a}}", {"a": "1", "b": "2"}) == "1 and 2 and 1"


def test_values_are_not_searched_for_placeholders() -> None:
    assert render("{{a}}{{b}}", {"a": "{{b}}", "b": "{{a}}"}) == "{{b}}{{a}}"


@pytest.mark.parametrize(
    "text",
    ["{a} {0} %s", "{% if a %}", "{{ a|upper }}", "{{a.b}}", "{{a()}}", "{{}}", "{ {a} }", "\\1 \\g<0> $a", "{{1}}"],
)
def test_nothing_else_has_a_meaning(text: str) -> None:
    assert placeholders(text) == []
    assert render(text, {}) == text


def test_a_name_without_a_value_is_refused_by_name() -> None:
    with pytest.raises(UnknownPlaceholder, match=r"\{\{c\}\} has no value; known: a, b"):
        render("{{c}}", {"a": "", "b": ""})


def test_names_are_listed_once_in_order() -> None:
    assert placeholders("{{b}} {{a}} {{b}}") == ["b", "a"]


@given(st.text(), st.text())
def test_a_value_arrives_as_it_is(before: str, value: str) -> None:
    text = before.replace("{{", "")
    assert render(text + "|{{value}}|", {"value": value}) == f"{text}|{value}|"
