"""Numbers, money, spans and moments as a person reads them."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from app.web import fmt

N = "\u202f"


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (0.5, "0.500"), (1.0, "1.000"), (math.nan, "–")])
def test_scores(value: float | None, text: str) -> None:
    assert fmt.score(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.0831, "+0.083"), (-0.0004, "0.000"), (-0.25, "\u22120.250"), (0.0, "0.000")]
)
def test_differences(value: float | None, text: str) -> None:
    assert fmt.signed(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "p not available"), (0.0004, "p < 0.001"), (0.0312, "p = 0.031"), (1.0, "p = 1.000")]
)
def test_p_values(value: float | None, text: str) -> None:
    assert fmt.p_value(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "unknown"),
        (0.0, "$0"),
        (0.0000213, "$0.0000213"),
        (1e-9, "< $0.0000001"),
        (0.0123, "$0.0123"),
        (12.345, "$12.35"),
    ],
)
def test_an_unknown_price_is_never_zero(value: float | None, text: str) -> None:
    assert fmt.money(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (-1, "–"),
        (0, f"0{N}ms"),
        (0.0423, f"42{N}ms"),
        (9.96, f"10.0{N}s"),
        (59.4, f"59{N}s"),
        (59.6, f"1{N}min"),
        (94, f"1{N}min 34{N}s"),
        (3600, f"1{N}h"),
        (90_061, f"1{N}d 1{N}h"),
    ],
)
def test_spans(seconds: float | None, text: str) -> None:
    assert fmt.span(seconds) == text


def test_counts_have_narrow_spaces() -> None:
    assert fmt.count(1234567) == f"1{N}234{N}567"


def test_moments_without_a_zone_are_utc() -> None:
    moment = dt.datetime(2026, 11, 21, 2, 3, 4)
    assert fmt.iso(moment) == "2026-11-21T02:03:04+00:00"
    assert fmt.clock(moment) == "02:03:04"
    assert fmt.ago(dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5, seconds=3)) == f"5{N}min ago"
    assert fmt.ago(None) == "–"


@pytest.mark.parametrize(
    ("remark", "text"), [("", ""), ("improved: +0.1", "Improved: +0.1."), ("Done.", "Done."), (" why? ", "Why?")]
)
def test_remarks_become_sentences(remark: str, text: str) -> None:
    assert fmt.sentence(remark) == text


def test_commands_in_a_message_are_shown_as_code_and_the_rest_as_text() -> None:
    assert str(fmt.commands("run `make up` & <b>wait</b>")) == "run <code>make up</code> &amp; &lt;b&gt;wait&lt;/b&gt;"
