"""The playground in a real browser over a real Redis: answers are seen while they come, as text, and can be stopped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from app.ports.llm import Reply, Request
from app.services.drive import drive
from app.services.saying import RedisEar
from tests.fakes.llm import RuleLLM
from tests.web import seed
from tests.web.conftest import World, build, serving

pytestmark = pytest.mark.browser

FIRST, REST = "<img src=x onerror=alert(1)> the first half", " and the rest"


class Speaking(RuleLLM):
    """Says the first half, and the rest when it may."""

    def __init__(self) -> None:
        super().__init__(lambda _: FIRST + REST)
        self.may = threading.Event()

    async def complete(self, request: Request, *, deadline_s: float) -> Reply:
        if request.listener:
            request.listener.hear(FIRST)
        while not self.may.is_set():
            await asyncio.sleep(0.02)
        return replace(await super().complete(request, deadline_s=deadline_s), ttft_s=0.25, ttlb_s=2.5)


@contextmanager
def working(world: World, redis_url: str, llm: Speaking) -> Iterator[None]:
    """A worker that drives the run that was queued last."""

    def work() -> None:
        drive(
            world.queued[-1],
            database=world.database,
            open_llm=lambda: llm,
            owner="test",
            lease_s=20,
            open_ear=lambda run_id: RedisEar(redis_url, run_id),
        )

    thread = threading.Thread(target=work)
    thread.start()
    yield
    llm.may.set()
    thread.join()


def test_answers_are_seen_while_they_come_and_can_be_stopped(browser: Browser, redis_url: str, tmp_path: Path) -> None:
    world, complaints = build(tmp_path, redis_url), []
    with world.database.session() as session:
        seeded = seed.fill(session)
    with serving(world, seeded) as site:
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{site.url}/playground?model=simulated/primary&model=simulated/optimizer")
        page.get_by_label("Input", exact=True).fill("hello")
        expect(page.locator("#cost")).to_contain_text("2 calls, up to about $")
        page.get_by_role("button", name="Ask").click()
        expect(page.get_by_text("No worker is running.")).to_be_visible()
        said = page.locator("#answers .said")
        llm = Speaking()
        with working(world, redis_url, llm):
            expect(said.nth(0)).to_have_text(FIRST)
            expect(said.nth(1)).to_have_text(FIRST)
            llm.may.set()
            expect(said.nth(1)).to_have_text(FIRST + REST)
            expect(page.locator("#answers-title")).to_contain_text("done")
        expect(page.locator(".answer-card").nth(0)).to_contain_text("2.5")
        page.get_by_role("button", name="Ask").click()
        with working(world, redis_url, llm := Speaking()):
            expect(said.nth(0)).to_have_text(FIRST)
            page.get_by_role("button", name="Stop").click()
            expect(page.locator("#answers-title")).to_contain_text("cancelled")
        expect(page.get_by_text("No answer: the run ended before.")).to_have_count(2)
        page.goto(f"{site.url}/prompts/1/edit")
        page.get_by_label("Input", exact=True).fill("a draft")
        page.locator("#try-panel-form").get_by_role("button", name="Ask").click()
        expect(page.locator("#tried .said")).to_be_visible()
        with working(world, redis_url, llm := Speaking()):
            expect(page.locator("#tried .said")).to_have_text(FIRST)
            llm.may.set()
            expect(page.locator("#tried .said")).to_have_text(FIRST + REST)
        assert complaints == []
        page.context.close()
