"""The pages in a real browser: quiet, at home on a phone, in light and dark, and alive while a run goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from app.store.models import Dataset, Prompt
from tests.web import seed
from tests.web.conftest import Site, Visit

pytestmark = pytest.mark.browser


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


def test_a_list_is_put_in_order_by_keys_and_by_mouse(visit: Callable[..., Visit]) -> None:
    seen = visit("/style")
    page = seen.page
    arranged = page.locator("[data-arrange=ranking]")

    def stands() -> list[str]:
        rows = arranged.locator("li").all()
        return [f"{row.locator('.place').input_value()} {row.get_attribute('data-label')}" for row in rows]

    assert stands() == ["1 Apple", "2 Pear", "2 Plum", "4 Quince"]
    arranged.get_by_role("button", name="Move Quince", exact=True).focus()
    page.keyboard.press("Alt+ArrowUp")
    assert stands() == ["1 Apple", "2 Pear", "2 Quince", "2 Plum"]
    expect(arranged.get_by_role("status")).to_have_text("Quince: place 2 of 4, tied with the one above")
    page.keyboard.press("=")
    assert stands() == ["1 Apple", "2 Pear", "3 Quince", "3 Plum"]
    for key in ("Space", "Home"):
        page.keyboard.press(key)
    assert stands() == ["1 Quince", "2 Apple", "3 Pear", "4 Plum"]
    page.keyboard.press("Escape")
    assert stands() == ["1 Apple", "2 Pear", "3 Quince", "3 Plum"]
    expect(arranged.get_by_role("button", name="Move Quince", exact=True)).to_be_focused()
    arranged.get_by_label("Place of Apple").fill("3")
    page.keyboard.press("Tab")
    assert stands() == ["1 Pear", "2 Quince", "2 Plum", "2 Apple"]
    grip = arranged.get_by_role("button", name="Move Apple", exact=True)
    grip.drag_to(arranged.get_by_role("button", name="Move Pear", exact=True), target_position={"x": 16, "y": 2})
    expect(arranged.locator("li").first).to_have_attribute("data-label", "Apple")
    assert stands() == ["1 Apple", "2 Pear", "3 Quince", "3 Plum"]
    assert seen.complaints == []
