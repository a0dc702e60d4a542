"""No cell is a formula, and every text comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.cells import protect, unprotect


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "'quoted"])
def test_what_could_start_a_formula_is_protected(text: str) -> None:
    assert protect(text) == f"'{text}"
    assert unprotect(protect(text)) == text


@pytest.mark.parametrize("text", ["", "007", " spaces", "NA", "a=b", "3-1", '"quoted"'])
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert protect(text) == text


@given(st.text())
def test_protection_is_reversible_and_keeps_texts_apart(text: str) -> None:
    assert unprotect(protect(text)) == text
    assert not protect(text).startswith(("=", "+", "-", "@"))
