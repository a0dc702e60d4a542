"""A benchmark in a real browser: started, ranked by mouse and by keyboard, marked by a key, recommended, quiet and at home."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app.config import Settings
from app.llm.gateway import Gateway
from app.services import drive, models
from tests.web import seed
from tests.web.conftest import Site, build, serving
from tests.web.walk import AXE, RULES

pytestmark = pytest.mark.browser

CONFIGS = {"sharp": 0.95, "solid": 0.75, "quick": 0.55, "plain": 0.4, "weak": 0.1}
PROMPTS = "\n".join(
    f'{{"prompt": "{text}"}}' for text in ("Plan a picnic near a river.", "Describe a market in spring.")
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with five configs that answer differently well."""
    world = build(tmp_path_factory.mktemp("ranked"))
    with world.database.session() as session:
        seeded = seed.fill(session)
        for name, skill in CONFIGS.items():
            params = {"skill": skill, "latency_s": 0.001}
            models.create(session, name, {"model": "simulated/writer", "params": params})
    with serving(world, seeded) as site:
        yield site


@pytest.fixture(scope="module")
def started(browser: Browser, site: Site) -> tuple[Page, str]:
    """The page of a benchmark that was started by its form, and the run's id."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, bypass_csp=True)
    page.goto(f"{site.url}/benchmarks/new")
    page.get_by_text("Or many, from a file").click()
    page.get_by_label("Its text").fill(PROMPTS)
    page.get_by_label("Runs", exact=True).fill("3")
    page.get_by_label("Reviewer", exact=True).fill("simulated/judge")
    expect(page.locator("#estimate")).to_contain_text("2 prompts × 5 configs × 3")
    page.get_by_role("button", name="Start benchmark").click()
    page.wait_for_url("**/runs/*")
    run_id = page.url.rpartition("/")[2]
    with ThreadPoolExecutor() as elsewhere:  # the browser's own event loop runs in this thread
        done = elsewhere.submit(
            drive.drive,
            run_id,
            database=site.world.database,
            open_llm=lambda: Gateway(Settings(), {}),
            owner="test",
            lease_s=20,
        )
        assert done.result() == "done"
    expect(page.locator("#verdict")).to_contain_text("has the best reviews")
    return page, run_id


def order(page: Page) -> list[str]:
    return [row.get_attribute("data-label") or "" for row in page.locator(".arranged > li").all()]


def test_it_is_ranked_by_mouse_and_by_keyboard_blind(started: tuple[Page, str], site: Site) -> None:
    page, run_id = started
    page.goto(f"{site.url}/benchmarks/{run_id}/rank/p1")
    assert order(page) == [f"Answer {letter}" for letter in "ABCDE"]
    grip = page.get_by_role("button", name="Move Answer C", exact=True)
    grip.drag_to(page.get_by_role("button", name="Move Answer A", exact=True), target_position={"x": 16, "y": 2})
    expect(page.locator(".arranged > li").first).to_have_attribute("data-label", "Answer C")
    page.get_by_label("Your name").fill("ada")
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Save the ranking").click()
    expect(page.get_by_role("heading", name="Saved, ranked blind")).to_be_visible()
    assert set(order(page)) == set(CONFIGS)
    page.get_by_role("link", name="Next prompt").click()
    expect(page.get_by_label("Your name")).to_have_value("ada")
    page.get_by_role("button", name="Move Answer B", exact=True).focus()
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("End")
    assert order(page)[0] == "Answer B"
    page.get_by_role("button", name="Move Answer A", exact=True).focus()
    page.keyboard.press("=")
    page.get_by_label("Your name").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Kendall tau-b, with ties")).to_be_visible()
    page.goto(f"{site.url}/benchmarks/{run_id}")
    expect(page.locator("#people").locator("..")).to_contain_text("2")
    with site.world.database.session() as session:
        from app.store.judged import RankingRow

        rows = {row.case: row for row in session.query(RankingRow)}
        assert rows["p1"].seconds > 0.2
        assert sorted(rows["p2"].places.values())[:2] == [1, 1]


def test_weights_change_the_recommendation_and_the_address(started: tuple[Page, str], site: Site) -> None:
    page, run_id = started
    page.goto(f"{site.url}/benchmarks/{run_id}")
    page.get_by_role("slider", name="Quality").focus()
    for _ in range(12):
        page.keyboard.press("ArrowLeft")
    expect(page.locator(".weights .weight b").first).to_have_text("0")
    page.wait_for_url("**quality=0**")


def test_a_key_marks_the_answer_that_has_the_focus(started: tuple[Page, str], site: Site) -> None:
    page, run_id = started
    page.goto(f"{site.url}/benchmarks/{run_id}/prompts/p1?repeat=1")
    first = page.locator("[data-answer]").first
    first.focus()
    page.keyboard.press("u")
    expect(first.get_by_role("button", name="Unacceptable")).to_have_attribute("aria-pressed", "true")
    expect(first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-answer]").nth(1)).to_be_focused()
    page.keyboard.press("a")
    pressed = page.locator("[data-answer]").nth(1).get_by_role("button", name="Acceptable", exact=True)
    expect(pressed).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_the_pages_fit_and_axe_finds_nothing(
    browser: Browser, started: tuple[Page, str], site: Site, width: int, scheme: Any
) -> None:
    _, run_id = started
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    at = f"/benchmarks/{run_id}"
    paths = (at, f"{at}/prompts/p1", f"{at}/prompts/p1?view=table", f"{at}/rank/p1?repeat=1", f"/runs/{run_id}")
    more = ("/benchmarks", "/benchmarks/new", "/benchmarks/reviews", "/benchmarks/reviews/edit", "/benchmarks/configs")
    for path in (*paths, *more):
        page.goto(site.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        page.evaluate(AXE)
        found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)["violations"]
        assert [(path, one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
    assert complaints == []
    page.close()
