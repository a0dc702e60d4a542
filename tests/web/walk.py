"""A walk over many pages in one browser window: each is loaded once and looked at in both widths and both colour schemes."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Literal

from playwright.sync_api import Browser, Page, TimeoutError

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CONTRAST = {"type": "rule", "values": ["color-contrast"]}
LOOKS: tuple[tuple[int, Literal["light", "dark"], Any], ...] = (
    (1280, "dark", None),
    (1280, "light", CONTRAST),
    (360, "light", None),
    (360, "dark", RULES),
)
"""Width, scheme, and what axe tries: every rule once, since that takes a second a page, and contrast in the other scheme."""
FIELDS = """() => [...document.querySelectorAll("main :is(input:not([type=hidden]), select, textarea)")]
    .filter((e) => !e.labels?.length && !e.getAttribute("aria-label")).map((e) => "nameless: " + e.outerHTML)
    .concat([...document.querySelectorAll("[id]")].map((e) => e.id).filter((id, at, all) => all.indexOf(id) !== at)
    .map((id) => "twice: " + id))"""


def walk(browser: Browser, url: str, paths: Sequence[str]) -> list[str]:
    """What is wrong on these pages: overflow, complaints of the browser, requests to others, violations that axe finds."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    wrong: list[str] = []
    here = ""

    def note(text: str) -> None:
        wrong.append(f"{here}: {text}")

    page.on("console", lambda said: note(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: note(str(error)))
    page.on("request", lambda sent: None if sent.url.startswith((url, "data:")) else note(f"calls {sent.url}"))
    for here in paths:
        page.goto(url + here)
        page.wait_for_load_state("load")
        page.evaluate(AXE)
        for text in page.evaluate(FIELDS):
            note(text)
        for width, scheme, rules in LOOKS:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            if not _fits(page, width):
                note(f"wider than {width}")
            for text in _violations(page, rules) if rules else []:
                note(f"{width} {scheme}: {text}")
    page.close()
    return wrong


def _fits(page: Page, width: int) -> bool:
    """Charts follow a new width a moment later."""
    try:
        page.wait_for_function("most => document.documentElement.scrollWidth <= most", arg=width, timeout=2000)
    except TimeoutError:
        return False
    return True


def _violations(page: Page, rules: Any) -> list[str]:
    found: Any = page.evaluate("rules => axe.run({runOnly: rules})", rules)
    return [
        f"{one['id']}: {node['target']}: {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]
