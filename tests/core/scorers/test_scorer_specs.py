"""Scorers as people write them: text in, complete spec out, and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.core.scorers import SCORERS, build, complete, format, parse, settings
from app.core.scorers.setting import WEIGHT, Setting


def test_text_becomes_a_complete_spec() -> None:
    assert parse("numeric: tolerance=0.01 ,weight=2") == {
        "name": "numeric",
        "tolerance": 0.01,
        "relative": 0.0,
        "decimal_comma": False,
        "weight": 2.0,
    }
    assert parse("json_match:fields=a, b,casefold=yes")["fields"] == ["a", "b"]
    assert parse("regex:pattern=a{1,2}b,casefold=on")["pattern"] == "a{1,2}b"
    assert parse('{"name": "regex", "pattern": "x,y=2"}')["pattern"] == "x,y=2"


def test_a_built_scorer_tells_its_spec() -> None:
    assert build("exact_match:casefold=true").spec == {
        "name": "exact_match",
        "strip": True,
        "casefold": True,
        "punctuation": False,
        "articles": False,
        "whitespace": False,
    }
    assert build(["exact_match"]).spec == build({"name": "exact_match", "weight": 7}).spec


WRONG = [
    ("foo", "no scorer 'foo'; known: exact_match"),
    ("", "no scorer ''"),
    ("numeric:tol=1", "no setting 'tol'; it has: tolerance"),
    ("numeric:tolerance=x", "tolerance must be a number at least 0, not 'x'"),
    ("numeric:tolerance=-1", "tolerance must be"),
    ("numeric:tolerance=nan", "tolerance must be"),
    ("numeric:tolerance=inf", "tolerance must be"),
    ("numeric:relative=2", "relative must be a number at least 0 and at most 1"),
    ("numeric:tolerance", "is no setting"),
    ("numeric:tolerance=1,color=red", "no setting 'color'"),
    ("exact_match:casefold=maybe", "casefold must be true or false"),
    ("exact_match:weight=0", "weight must be"),
    ("bleu:tokenize=x", "tokenize must be one of 13a"),
    ("chrf:word_order=1.5", "word_order must be a whole number"),
    ("regex:pattern=(", "pattern is not a valid RE2 pattern"),
    ("regex:pattern=(?=a)", "pattern is not a valid RE2 pattern"),
    ("regex:pattern=" + "a" * 10_001, "10001 characters"),
    ('json_match:schema={"type":5}', "schema is not a valid JSON schema"),
    ("json_match:schema=[1]", "schema must be a JSON object"),
    ("json_match:schema={", "schema must be a JSON object"),
    ('json_match:schema={"$ref":"http://127.0.0.1/x"}', "its own parts only"),
    ('json_match:schema={"patternProperties":{"a":{}}}', "patternProperties"),
    ('json_match:schema={"pattern":"("}', "not valid RE2"),
    ("json_match:schema=" + '{"not":' * 60 + "{}" + "}" * 60, "nested deeper"),
    ("{bad", "not valid JSON"),
    ('{"nom": "regex"}', "a scorer is a name"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        parse(text)
    assert message in str(error.value)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    "spec", [[], [None], {"name": "numeric", "tolerance": "1"}, {"name": "numeric", "tolerance": True}]
)
def test_a_spec_with_wrong_types_is_refused(spec: Any) -> None:
    with pytest.raises(ValueError, match=r"scorer|tolerance"):
        build(spec)


def values(one: Setting) -> st.SearchStrategy[Any]:
    if one.choices:
        return st.sampled_from(one.choices)
    if one.kind == "float":
        return st.floats(one.low, one.high, allow_nan=False, allow_infinity=False)
    if one.kind == "json":
        return st.just({}) | st.just({"type": "object", "required": ["a", "b"]})
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "bool": st.booleans(),
        "int": st.integers(int(one.low or 0), int(one.high or 9)),
        "list": st.lists(st.text(max_size=5), max_size=3),
        "str": st.text("abc,= \n.*", max_size=20).map(lambda text: text.replace("**", "").lstrip("*")),
        "text": st.text("abc,= \n.{}", max_size=20),
        "file": st.text("abc,= \n.:", max_size=20),
    }
    return kinds[one.kind]


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_format_is_read_back_as_the_same_spec(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(list(SCORERS)))
    given_values = {one.name: data.draw(values(one)) for one in [*settings(name), WEIGHT]}
    try:
        spec = complete({"name": name, **given_values})
    except ValueError:
        assert name == "regex"
        return
    assert parse(format(spec)) == spec


def test_format_writes_what_differs_from_the_defaults() -> None:
    assert format(parse("exact_match")) == "exact_match"
    assert format(parse("exact_match:strip=true,casefold=true")) == "exact_match:casefold=true"
    assert format({"name": "regex", "pattern": "x,y=2"}) == '{"name": "regex", "pattern": "x,y=2"}'
