"""What a browser loads for a page and how soon the page can be used, in Chromium over the real server.

The references: the goal of 200 kB, the same page a second time, and Chromium on a slower machine behind a slower line.
"""

from __future__ import annotations

import logging
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from app.config import Settings
from app.llm.gateway import Gateway
from app.services import datasets, drive, training
from app.store.database import Database
from benchmarks.report import Cell, Table
from benchmarks.streams import site

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--no-first-run"]
GOAL_KB = 200
REPEATS = 5
SLOWER_CPU = 4
LINE = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
"""As Lighthouse imitates a slow 4G line: 150 ms there and back, 1.6 Mbit/s."""
QUIET_MS = 400
"""So long after the last request a page is taken to have loaded everything."""
USABLE = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
"""All our scripts are deferred: when this event has ended, every one of them has run and the page reacts."""
PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


@dataclass
class Visit:
    """One load of a page. bytes: over the line, heads and compressed bodies."""

    requests: int = 0
    bytes: float = 0.0
    painted_ms: float = 0.0
    usable_ms: float = 0.0


@dataclass
class Seen:
    """All loads of a page in one way."""

    visits: list[Visit] = field(default_factory=list)

    def median(self, name: str) -> float:
        """Of one figure."""
        return float(statistics.median(getattr(visit, name) for visit in self.visits))


def measure(quick: bool) -> list[Table]:
    """The table of this measurement."""
    if not CHROMIUM.exists():
        raise RuntimeError(f"there is no Chromium at {CHROMIUM}")
    with site({"WHETSTONE_WORKER_PROCESSES": "1"}) as server:
        pages = _pages(_trained(server.url))  # before the browser, whose own event loop takes this thread
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            address = f"http://127.0.0.1:{server.port}"
            rows = [_row(browser, address, title, path, 1 if quick else REPEATS) for title, path in pages.items()]
            browser.close()
    columns = ["page", "requests", "kB over the line", "painted, ms", "usable, ms", "again: kB", "again: usable, ms"]
    notes = [
        f"Goal: the first page under {GOAL_KB} kB (1 kB = 1,000 bytes). Medians of {1 if quick else REPEATS} loads with an"
        " empty cache; again is the same page with what the browser kept. Usable is when every script has run.",
        f"Slow line: a processor {SLOWER_CPU} times slower, 150 ms there and back, 1.6 Mbit/s, an empty cache.",
    ]
    return [Table("Pages in a browser", [*columns, "slow line: usable, ms"], rows, notes)]


def _trained(url: str) -> str:
    """The id of a finished training of a bundled sample with simulated models."""
    logging.disable(logging.WARNING)
    settings = Settings()
    gateway = Gateway(settings, {})
    with Database(url) as database:
        with database.session() as session:
            name = datasets.import_sample(session, "support_intents.csv").name
            asked = {
                "dataset": name,
                "system_prompt": "Classify the message.",
                "output_prompt": "Answer with the label.",
            }
            asked |= {"primary_model": "simulated/primary", "optimizer_model": "simulated/optimizer", "epochs": "4"}
            spec = training.parse(session, asked, settings=settings, gateway=gateway)
            run_id: str = training.start(session, spec).id
        drive.drive(run_id, database=database, open_llm=lambda: Gateway(settings, {}), owner="bench", lease_s=30)
    return run_id


def _pages(run_id: str) -> dict[str, str]:
    return {
        "first page": "/",
        "list of runs": "/runs",
        "a finished training": f"/runs/{run_id}",
        "its examples": f"/runs/{run_id}/examples",
        "new training": "/trainings/new?dataset=support_intents",
        "a dataset": "/datasets/1",
    }


def _row(browser: Browser, address: str, title: str, path: str, repeats: int) -> list[Cell]:
    first, again, slow = Seen(), Seen(), Seen()
    _load(browser, address + path, Seen(), Seen())  # the server compiles the template
    for _ in range(repeats):
        _load(browser, address + path, first, again)
        _load(browser, address + path, slow, Seen(), slowly=True)
    return [
        title,
        int(first.median("requests")),
        round(first.median("bytes") / 1000, 1),
        round(first.median("painted_ms")),
        round(first.median("usable_ms")),
        round(again.median("bytes") / 1000, 1),
        round(again.median("usable_ms")),
        round(slow.median("usable_ms")),
    ]


def _load(browser: Browser, address: str, first: Seen, again: Seen, *, slowly: bool = False) -> None:
    with _window(browser) as context:
        page = context.new_page()
        wire = context.new_cdp_session(page)
        wire.send("Network.enable")
        if slowly:
            wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER_CPU})
            wire.send("Network.emulateNetworkConditions", LINE)
        for seen in (first, again):
            seen.visits.append(_visit(page, wire, address))


@contextmanager
def _window(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


def _visit(page: Page, wire: Any, address: str) -> Visit:
    visit = Visit()

    def sent(_event: Any) -> None:
        visit.requests += 1

    def ended(event: Any) -> None:
        visit.bytes += event["encodedDataLength"]

    wire.on("Network.responseReceived", sent)
    wire.on("Network.loadingFinished", ended)
    page.goto(address, wait_until="load")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(QUIET_MS)
    visit.usable_ms = float(page.evaluate(USABLE))
    visit.painted_ms = float(page.evaluate(PAINTED) or 0.0)
    wire.remove_listener("Network.responseReceived", sent)
    wire.remove_listener("Network.loadingFinished", ended)
    return visit
