"""The page of a plan in a real browser: quiet, at home on a phone, nothing for axe to find, and one click from its training."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from playwright.sync_api import Browser, expect

from app.config import Settings
from app.llm.gateway import Gateway
from app.services import datasets, drive, training
from tests.web import seed
from tests.web.conftest import Site, build, serving
from tests.web.forms import ROWS
from tests.web.walk import walk

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


def test_its_pages_fit_and_axe_finds_nothing(browser: Browser, planned: tuple[Site, str]) -> None:
    site, run_id = planned
    found = walk(browser, site.url, [f"/runs/{run_id}{part}" for part in ("", "/examples", "/settings")])
    assert not found, "\n".join(found)


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
