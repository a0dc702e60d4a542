"""The page of a plan in a real browser: quiet, at home on a phone, nothing for axe to find, and one click from its training."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from app.config import Settings
from app.llm.gateway import Gateway
from app.services import datasets, drive, training
from tests.web import seed
from tests.web.conftest import Site, build, serving
from tests.web.forms import ROWS
from tests.web.test_accessibility import AXE, RULES

pytestmark = pytest.mark.browser

FORM = {
    "dataset": "mine",
    "system_prompt": "Answer yes or no.",
    "primary_model": "simulated/primary",
    "optimizer_model": "simulated/optimizer",
    "worth_points": 31,
}


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    """A server with a finished plan that recommends another split, and the plan's id."""
    world, settings = build(tmp_path_factory.mktemp("planned")), Settings()
    gateway = Gateway(settings, {})
    with world.database.session() as session:
        seeded = seed.fill(session)
        datasets.import_file(session, io.BytesIO(f"input,answer\n{ROWS}\n".encode()), "mine.csv")
        spec = training.parse(session, FORM, settings=settings, gateway=gateway)
        run = training.start(session, training.planned(session, spec, gateway=gateway), kind="plan")
        run_id = run.id
    with ThreadPoolExecutor() as elsewhere:  # the browser's own event loop runs in this thread
        work = partial(drive.drive, database=world.database, open_llm=lambda: Gateway(settings, {}))
        assert elsewhere.submit(work, run_id, owner="test", lease_s=20).result() == "done"
    with serving(world, seeded) as site:
        yield site, run_id


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
@pytest.mark.parametrize("part", ["", "/examples", "/settings"])
def test_it_fits_and_axe_finds_nothing(
    browser: Browser, planned: tuple[Site, str], part: str, width: int, scheme: Any
) -> None:
    site, run_id = planned
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{site.url}/runs/{run_id}{part}")
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
    assert complaints == []
    page.close()


def test_the_split_is_taken_over_and_the_training_starts_with_one_click(
    browser: Browser, planned: tuple[Site, str]
) -> None:
    site, run_id = planned
    page = browser.new_page()
    page.goto(f"{site.url}/runs/{run_id}")
    taken = page.get_by_role("link", name="Use split")
    ratios = (taken.text_content() or "").split()[-1]
    taken.click()
    expect(page.get_by_label("Train / validation / test")).to_have_value(ratios)
    expect(page.get_by_text("Can show", exact=True)).to_be_visible()
    page.goto(f"{site.url}/runs/{run_id}")
    page.get_by_role("button", name="Start this training").click()
    expect(page.get_by_role("heading", name="mine on mine")).to_be_visible()
    expect(page.get_by_text("The training is queued.")).to_be_visible()
    page.close()
