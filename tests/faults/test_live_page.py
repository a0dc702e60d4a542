"""The page of a run stays live and honest while the web server is killed and comes back on the same port."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.faults.pages import Pages
from tests.faults.test_pages import kill, pages
from tests.jobs.conftest import Workplace
from tests.web import bank, seed
from tests.web.conftest import browser

pytestmark = [pytest.mark.faults, pytest.mark.browser]
__all__ = ["browser", "pages"]


def test_the_page_goes_on_where_it_was(pages: Pages, place: Workplace, browser: Browser) -> None:
    with place.database.session() as session:
        prompt = seed.Prompt(name="bank topics", kind="pair")
        session.add(prompt)
        session.flush()
        training = seed.Training(session, "grows", bank.dataset(session), prompt, seed=8)
        training.run_until(1)
        session.commit()
        page = browser.new_page()
        page.goto(f"{pages.url}/runs/grows")
        note = page.locator("#stream-lost")
        training.epoch(2)
        session.commit()
        expect(page.locator("#proposal-2")).to_be_visible()

        kill(pages.process)
        expect(note).to_contain_text("The connection to the server is lost")
        training.epoch(3)
        session.commit()
        pages.start()
        expect(page.locator("#proposal-3")).to_be_visible(timeout=15_000)
        expect(note).to_contain_text("The connection is back after")

        training.epoch(4)
        training.end()
        session.commit()
        expect(page.locator("#proposal-4")).to_be_visible()
        expect(page.locator(".verdict")).to_be_visible()
        expect(page.locator("#log li").last).to_contain_text("The run is done")
        texts = page.locator("#log li.decision").all_inner_texts()
        for number in (1, 2, 3, 4):
            assert sum(f"proposal {number} (" in text for text in texts) == 1
        page.close()
