"""No page has what axe finds wrong for people who use a keyboard, a screen reader or strong contrast."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from tests.web.conftest import Site, Visit
from tests.web.test_browser import PAGES

pytestmark = pytest.mark.browser

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_axe_finds_nothing(visit: Callable[..., Visit], site: Site, width: int, scheme: str) -> None:
    page = visit("/", width=width, scheme=scheme).page
    found: list[str] = []
    for path in PAGES:
        page.goto(site.url + path)
        page.wait_for_load_state("load")
        page.evaluate(AXE)
        result: Any = page.evaluate("rules => axe.run({runOnly: rules})", RULES)
        found += [
            f"{path}: {one['id']}: {node['target']}: {node['failureSummary']}"
            for one in result["violations"]
            for node in one["nodes"]
        ]
    assert not found, "\n".join(found)
