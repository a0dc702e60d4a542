"""What each sentence is worth, on the page of a training that simulated models have really done, and in the form before it."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect

from app.config import ROOT, Settings
from app.llm.gateway import Gateway
from app.services import datasets, runs, training
from app.services.drive import drive
from app.store.database import Database
from tests.services.test_shortened_training import FORM as BARE
from tests.services.test_shortened_training import GOOD, IDLE
from tests.web import seed
from tests.web.conftest import Site, World, build, serving
from tests.web.forms import FORM, ROWS, post
from tests.web.walk import AXE, RULES


def shorten(database: Database) -> str:
    """A whole training that ends with a shorter prompt; its id."""
    gateway = Gateway(Settings(), {})
    with database.session() as session:
        content = (ROOT / "data/samples/support_intents.csv").read_bytes()
        datasets.import_file(session, io.BytesIO(content), "support.csv", name="support")
        spec = training.parse(session, GOOD, settings=Settings(), gateway=gateway)
        run_id = training.start(session, spec, name="shortened").id
    with ThreadPoolExecutor(1) as pool:  # the browser's event loop may be running in this one
        ended = pool.submit(
            drive, run_id, database=database, open_llm=lambda: gateway, owner="worker", lease_s=20
        ).result()
    assert ended == "done"
    return run_id


@pytest.fixture(scope="module")
def shortened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    world = build(tmp_path_factory.mktemp("shortened"))
    yield world, shorten(world.database)
    world.database.close()


@pytest.fixture
def page(shortened: tuple[World, str]) -> str:
    world, run_id = shortened
    return html.unescape(world.app.test_client().get(f"/runs/{run_id}").text)


def row_of(page: str, text: str) -> str:
    (found,) = [row for row in re.findall(r"<tr.*?</tr>", page, re.DOTALL) if f">{text}</th>" in row]
    return found


def test_the_run_page_says_what_each_sentence_is_worth(page: str) -> None:
    assert "What each sentence is worth" in page
    idle, needed = row_of(page, IDLE[1]), row_of(page, BARE)
    assert ">dropped</span>" in idle
    worth = (
        r'data-label="Worth" class="num">[+−]?[\d.]+<span class="under">[+−]?[\d.]+ to [+−]?[\d.]+ · 64 examples</span>'
    )
    assert re.search(worth, idle)
    assert "Its whole interval is below 10 points." in idle
    assert ">kept</span>" in needed
    assert "can hardly be as good without it" in needed
    locked = row_of(page, GOOD["locked"])
    assert ">fixed</span>" in locked
    assert "It is locked." in locked


def test_the_run_page_shows_the_shorter_prompt_with_its_test(shortened: tuple[World, str], page: str) -> None:
    world, run_id = shortened
    with world.database.session() as session:
        found = runs.get(session, run_id).outcome["shortening"]
    assert f"{found['tokens_before']} → {found['tokens_after']}" in page
    assert "Difference on the sealed test" in page
    assert found["sentence"] in page
    number = found["offer"]["number"]
    assert f'href="/runs/{run_id}/proposals/{number}"' in page
    client = world.app.test_client()
    shown = html.unescape(client.get(f"/runs/{run_id}/proposals/{number}").text)
    assert "<del>" in shown
    assert "left out that validation shows to be worth nothing" in shown
    log = html.unescape(client.get(f"/runs/{run_id}/log").text)
    assert "sentences can be left out" in log
    assert found["sentence"] in log


def test_the_settings_tell_what_was_asked_for(shortened: tuple[World, str]) -> None:
    world, run_id = shortened
    told = html.unescape(world.app.test_client().get(f"/runs/{run_id}/settings").text)
    assert "<dt>Locked texts</dt><dd>Classify the message of a customer.</dd>" in told
    assert "<dt>Shortening</dt><dd>offer</dd>" in told
    assert "<dt>Longest prompt</dt><dd>3000 tokens</dd>" in told


def test_a_run_without_it_says_nothing(client: FlaskClient, seeded: seed.Seeded) -> None:
    told = client.get(f"/runs/{seeded.finished.id}").text
    assert "What each sentence is worth" not in told
    part = client.get(f"/runs/{seeded.running.id}/parts/shortening").text
    assert "hidden" in part


def test_a_locked_text_that_is_not_there_is_told_at_its_field(client: FlaskClient, database: Database) -> None:
    with database.session() as session:
        content = f"user_input,ground_truth_output\n{ROWS}\n".encode()
        datasets.import_file(session, io.BytesIO(content), "mine.csv")
    locked = "Nothing else.\r\n\r\nNothing more."
    refused = post(client, "/trainings/new", FORM | {"locked": locked, "shorten": "offer"})
    assert refused.status_code == 422
    told = html.unescape(refused.text)
    assert 'id="locked-error">"Nothing more." does not stand in the initial prompts' in told
    assert "Nothing else.\n\nNothing more.</textarea>" in told
    post(client, "/trainings/new", FORM | {"locked": "Nothing else.", "shorten": "offer", "max_prompt_tokens": "900"})
    with database.session() as session:
        (run,) = runs.list_runs(session)
        assert (run.spec["locked"], run.spec["shorten"], run.spec["max_prompt_tokens"]) == (
            ["Nothing else."],
            "offer",
            900,
        )
        again = client.get(f"/trainings/new?from={run.id}").text
    assert "Nothing else.</textarea>" in again
    assert '<option value="offer" selected>' in again


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    world = build(tmp_path_factory.mktemp("shown"))
    with world.database.session() as session:
        seeded = seed.fill(session)
    run_id = shorten(world.database)
    with serving(world, seeded) as site:
        yield site, run_id


@pytest.fixture
def opened(browser: Browser, shown: tuple[Site, str]) -> Iterator[Callable[..., Page]]:
    contexts = []

    def open_page(path: str, width: int, scheme: str) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: pytest.fail(m.text) if m.type in {"error", "warning"} else None)
        page.goto(shown[0].url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_the_new_sections_fit_and_can_be_read(
    opened: Callable[..., Page], shown: tuple[Site, str], width: int, scheme: str, tmp_path: Path
) -> None:
    page = opened(f"/runs/{shown[1]}", width, scheme)
    section = page.get_by_role("region", name="What each sentence is worth").first
    expect(section.get_by_text("dropped").first).to_be_visible()
    expect(section.get_by_text(IDLE[1])).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(AXE)
    assert page.evaluate("rules => axe.run({runOnly: rules})", RULES)["violations"] == []
    page.goto(shown[0].url + f"/trainings/new?from={shown[1]}")
    expect(page.get_by_label("Locked texts")).to_have_value(str(GOOD["locked"]))
    expect(page.get_by_label("After the search")).to_have_value("offer")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
def test_the_section_appears_while_the_run_goes_on(opened: Callable[..., Page], shown: tuple[Site, str]) -> None:
    site, run_id = shown
    running = site.seeded.running.id
    page = opened(f"/runs/{running}", 1280, "light")
    expect(page.locator("#run-shortening")).to_be_hidden()
    with site.world.database.session() as session:
        note = next(n for n in runs.notes(session, run_id) if n.name == "shortening")
        last = max(n.note or 0 for n in runs.notes(session, running))
        session.add(type(note)(run_id=running, note=last + 1, name="shortening", data=note.data, at=note.at))
        session.commit()
    expect(page.locator("#run-shortening")).to_be_visible()
    expect(page.locator("#run-shortening")).to_contain_text("The sealed test will say")
