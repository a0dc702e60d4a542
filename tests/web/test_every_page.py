"""Every page in a real browser: quiet, at home on a phone, in light and dark, and nothing for axe to find."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.web.conftest import Site
from tests.web.test_library_browser import site
from tests.web.walk import walk

pytestmark = pytest.mark.browser

__all__ = ["site"]

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
    "/playground?prompt=bank topics&model=simulated/primary",
    "/compare?of=r0finished:0&of=r0finished&of=r1running:0&split=validation",
    "/comparisons/new",
    "/runs/import",
    "/api",
    "/models/access",
    "/providers/servers/new",
    "/find?search=run",
    "/style",
    "/datasets/new",
    "/datasets/2",
    "/prompts/new",
    "/prompts/new?kind=chat",
    "/prompts/import",
    "/prompts/2",
    "/prompts/2/edit",
    "/prompts/2/about",
    "/prompts/2/versions/2",
    "/prompts/2/versions/2?view=python",
    "/prompts/2/versions/2?view=changes",
    "/prompts/2/diff?a=1&b=2",
    "/trainings/new",
    "/trainings/new?dataset=support_intents",
    "/models",
    "/models?group=none&sort=price",
    "/models/new",
    "/models/import",
    "/models/1",
    "/models/1?revision=1",
    "/models/1/edit",
    "/runs?columns=name,status,tokens&sort=oldest",
    "/runs/r0finished/examples?show=fixed",
    "/runs/r2paused",
    "/runs/r3failed",
    "/runs/r4queued",
    "/runs/r0finished/unprocessed",
]


@pytest.mark.parametrize("half", [0, 1])
def test_every_page_is_quiet_fits_and_can_be_used_by_everybody(browser: Browser, site: Site, half: int) -> None:
    found = walk(browser, site.url, PAGES[half::2])
    assert not found, "\n".join(found)
