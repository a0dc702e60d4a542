"""A whole training in a real browser, by keyboard alone and by mouse: from a file to a prompt that is labelled for use."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.config import Settings
from app.llm.gateway import Gateway
from app.services import drive
from tests.web import seed
from tests.web.conftest import Site, World, build, serving

pytestmark = pytest.mark.browser

SYSTEM = "Classify the customer's message."
OUTPUT = "Answer with the label."
SAMPLE = Path(__file__).parents[2] / "data/samples/support_intents.csv"
MOST_TABS = 150


@contextmanager
def working(world: World) -> Iterator[None]:
    """A worker that takes what the pages queue."""
    ending, settings = threading.Event(), Settings()

    def work() -> None:
        while not ending.wait(0.05):
            while world.queued:
                run_id = world.queued.pop(0)
                drive.drive(
                    run_id,
                    database=world.database,
                    open_llm=lambda: Gateway(settings, {}),
                    owner="worker",
                    lease_s=20,
                )

    worker = threading.Thread(target=work)
    worker.start()
    yield
    ending.set()
    worker.join()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a worker, whose runs are the seeded ones and those of these tests."""
    world = build(tmp_path_factory.mktemp("whole"))
    with world.database.session() as session:
        seeded = seed.fill(session)
    with serving(world, seeded) as site, working(world):
        yield site


class Hand(Protocol):
    """How somebody uses a page."""

    def press(self, target: Locator) -> None: ...
    def choose(self, target: Locator, file: Path) -> None: ...
    def write(self, target: Locator, text: str) -> None: ...
    def tick(self, target: Locator) -> None: ...


class Mouse:
    """Points and clicks."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, target: Locator) -> None:
        target.click()

    def choose(self, target: Locator, file: Path) -> None:
        with self.page.expect_file_chooser() as chooser:
            target.click()
        chooser.value.set_files(file)

    def write(self, target: Locator, text: str) -> None:
        target.click(click_count=3)
        self.page.keyboard.insert_text(text)

    def tick(self, target: Locator) -> None:
        target.click()


class Keyboard:
    """Goes from field to field with the tabulator; wherever it is, that can be seen."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, target: Locator) -> None:
        expect(target).to_be_visible()
        for _ in range(MOST_TABS):
            if target.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
            seen = self.page.evaluate(
                "() => { const at = document.activeElement; const style = getComputedStyle(at);"
                " return at === document.body || (style.outlineStyle !== 'none' && style.outlineWidth !== '0px'); }"
            )
            assert seen, self.page.evaluate("document.activeElement.outerHTML")
        raise AssertionError(f"the tabulator never comes to {target}")

    def press(self, target: Locator) -> None:
        self.reach(target)
        self.page.keyboard.press("Enter")

    def choose(self, target: Locator, file: Path) -> None:
        self.reach(target)
        with self.page.expect_file_chooser() as chooser:
            self.page.keyboard.press("Enter")
        chooser.value.set_files(file)

    def write(self, target: Locator, text: str) -> None:
        self.reach(target)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)

    def tick(self, target: Locator) -> None:
        self.reach(target)
        self.page.keyboard.press("Space")


@pytest.mark.parametrize("hand", [Keyboard, Mouse])
def test_from_a_file_to_a_labelled_prompt(browser: Browser, empty: Site, tmp_path: Path, hand: type[Hand]) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    user, name = hand(page), f"intents by {hand.__name__.lower()}"
    file = tmp_path / f"{name}.csv"
    file.write_bytes(SAMPLE.read_bytes())

    page.goto(f"{empty.url}/datasets/new")
    user.choose(page.get_by_label("CSV or JSON Lines file"), file)
    user.press(page.get_by_role("button", name="Look at it"))
    user.press(page.get_by_role("button", name=re.compile(r"^Import .* rows")))
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    user.press(page.get_by_role("link", name="Train on it"))
    user.write(page.get_by_label("System prompt"), SYSTEM)
    user.write(page.get_by_label("Output prompt"), OUTPUT)
    user.tick(page.get_by_label("Ignore upper and lower case."))
    user.tick(page.get_by_label("Ignore punctuation."))
    user.write(page.get_by_label("Epochs at most"), "4")
    expect(page.locator("#estimate")).to_contain_text("Calls")
    user.press(page.get_by_role("button", name="Start training"))
    expect(page.locator(".verdict h2")).to_contain_text("Ship the new prompts", timeout=30_000)
    expect(page.locator("#run-head")).to_contain_text("done")
    expect(page.locator("#run-lineage")).to_contain_text("best")
    expect(page.locator("#run-confusion .confusion")).to_have_count(2)
    user.press(page.get_by_role("button", name="Label it production"))
    expect(page.locator("#labels")).to_contain_text("production")
    expect(page.get_by_text("production is version")).to_be_visible()
    assert complaints == []
    page.close()


def test_a_look_at_a_proposal_leaves_the_page_where_it_is(browser: Browser, empty: Site) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{empty.url}/runs/r1running")
    page.locator("#run-lineage").get_by_role("link", name="Proposal 2").click()
    drawer = page.get_by_role("dialog", name="A version of the prompts")
    expect(drawer.get_by_role("heading", name="Proposal 2")).to_be_visible()
    expect(drawer.locator("del").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    page.route("**/r1running/pause", lambda route: route.abort())
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Pause", exact=True)).not_to_have_attribute("aria-disabled", "true")
    page.unroute("**/r1running/pause")
    page.get_by_role("button", name="Pause").click()
    toast = page.locator("#notices .toast")
    expect(toast).to_contain_text("The run pauses after the calls under way.")
    expect(page.locator("#run-head")).to_contain_text("pausing")
    toast.get_by_role("button", name="Close").click()
    expect(toast).to_have_count(0)
    page.close()
