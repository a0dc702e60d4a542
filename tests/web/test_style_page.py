"""The page of components shows every one of them, so that none is changed unseen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import app.web

TEMPLATES = Path(app.web.__file__).parent / "templates"
PARTS_OF_OTHERS = {"about", "described", "csrf", "told", "side", "difference"}


@pytest.mark.parametrize(
    ("file", "alias"), [("ui", "ui"), ("form", "form"), ("compare", "compare"), ("arrange", "arrange")]
)
def test_every_component_is_on_the_page(file: str, alias: str) -> None:
    names = re.findall(r"{%-? macro (\w+)\(", (TEMPLATES / f"macros/{file}.html").read_text("utf-8"))
    shown = (TEMPLATES / "style.html").read_text("utf-8")
    assert names
    assert [n for n in names if n not in PARTS_OF_OTHERS and f"{alias}.{n}(" not in shown] == []
