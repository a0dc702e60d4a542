"""The pages in a real browser: quiet, at home on a phone, in light and dark, and alive while a run goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from app.store.models import Dataset, Prompt
from tests.web import seed
from tests.web.conftest import Site, Visit

pytestmark = pytest.mark.browser

PAGES = [
    "/",
    "/runs",
    "/runs/r0finished",
    "/runs/r1running",
    "/runs/r0finished/proposals/3",
    "/runs/r0finished/examples",
    "/runs/r0finished/calls",
    "/runs/r0finished/bill",
    "/runs/r0finished/log",
    "/runs/r0finished/settings",
    "/compare?a=r0finished:0&b=r0finished",
    "/compare?of=r0finished:0&of=r0finished&of=r1running:0&split=validation",
    "/comparisons/new",
    "/runs/import",
    "/spending",
    "/datasets",
    "/datasets/1",
    "/datasets/1/labels?state=all",
    "/datasets/1/changes",
    "/runs/r0finished/rejudge",
    "/prompts",
    "/prompts/1",
    "/trainings/new?from=r0finished",
    "/providers",
    "/find?search=run",
    "/style",
]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_every_page_is_quiet_and_fits(visit: Callable[..., Visit], site: Site, width: int, scheme: str) -> None:
    seen = visit("/", width=width, scheme=scheme)
    for path in PAGES:
        seen.page.goto(site.url + path)
        seen.page.wait_for_load_state("load")
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert seen.complaints == [], path
        assert seen.foreign == [], path


def test_the_theme_switch_is_kept(visit: Callable[..., Visit]) -> None:
    page = visit("/runs", scheme="light").page
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(paper)
    page.keyboard.press("t")
    page.keyboard.press("t")
    dark = page.evaluate(paper)
    assert dark != light
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.evaluate(paper) == dark


def test_keys_lead_through_the_pages(visit: Callable[..., Visit]) -> None:
    page = visit("/").page
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url("**/runs")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("finished")
    expect(page.locator("#list tbody tr")).to_have_count(1)
    assert "search=finished" in page.url


def test_the_palette_leads_anywhere_by_its_name(visit: Callable[..., Visit], site: Site) -> None:
    seen = visit("/spending")
    page = seen.page
    page.keyboard.press("Control+k")
    options = page.get_by_role("dialog", name="Go to").get_by_role("option")
    expect(options.first).to_contain_text("Home")
    page.keyboard.type("finished")
    expect(options).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/runs/r0finished")
    page.keyboard.press("Control+k")
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(options.nth(1)).to_contain_text("Runs")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/runs")
    page.keyboard.press("Control+k")
    page.keyboard.type("nothing is called this")
    expect(page.get_by_role("dialog", name="Go to")).to_contain_text("Nothing is called that")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Go to")).to_be_hidden()
    assert seen.complaints == []


def test_the_menu_opens_on_a_phone(visit: Callable[..., Visit]) -> None:
    page = visit("/", width=360).page
    expect(page.get_by_role("link", name="Compare")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Compare").click()
    page.wait_for_url("**/compare")


def test_stopping_asks_first(visit: Callable[..., Visit]) -> None:
    page = visit("/runs/r1running").page
    page.get_by_role("button", name="Stop").click()
    dialog = page.get_by_role("dialog", name="Stop this run?")
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()


def test_a_run_is_seen_to_grow_and_to_end(visit: Callable[..., Visit], site: Site) -> None:
    with site.world.database.session() as session:
        dataset = session.query(Dataset).one()
        training = seed.Training(session, "grows", dataset, session.query(Prompt).first(), seed=8)
        training.run_until(1)
        session.commit()
        seen = visit("/runs/grows")
        page = seen.page
        expect(page.locator("#proposal-1")).to_be_visible()
        page.wait_for_function("Chart.getChart(document.querySelector('#curves canvas'))")
        lines = page.locator("#log li:not(.more)").count()

        training.epoch(2)
        training.progress(2)
        session.commit()
        expect(page.locator("#proposal-2")).to_be_visible()
        expect(page.locator("#run-state")).to_contain_text("Epoch 3: validating")
        page.wait_for_function(f"document.querySelectorAll('#log li:not(.more)').length > {lines}")

        for epoch in (3, 4, 5, 6):
            training.epoch(epoch)
        training.end()
        session.commit()
        expect(page.locator(".verdict")).to_be_visible()
        expect(page.locator("#run-head")).to_contain_text("done")
        expect(page.locator("#log li").last).to_contain_text("The run is done")
        assert page.locator("#proposal-2").count() == 1
        assert seen.complaints == []
