"""A migrated database, the application over it, a client, and a real browser over a real server."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from app import api
from app.config import Settings
from app.ports.journal import LeaseLost
from app.store.claims import LONGEST_LEASE_S, Claim, renew
from app.store.database import Database
from app.web import create_app
from app.web.context import Backend
from tests.web import seed

CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]


class _Compiled(BytecodeCache):
    """Templates are compiled once for all applications of a test run: half of the time of a page's first request."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = _Compiled()


@dataclass(frozen=True)
class World:
    """One application with its database."""

    app: Flask
    database: Database
    queued: list[str]
    folder: Path


def build(folder: Path, redis_url: str = "redis://127.0.0.1:1/0") -> World:
    """An application over an empty, migrated database; by default no broker answers."""
    url = f"sqlite:///{folder / 'app.db'}"
    database = Database(url)
    database.upgrade()
    settings = Settings(
        data_dir=folder,
        experiments_dir=folder / "experiments",
        database_url=url,
        redis_url=redis_url,
        secret_key="a key for tests",
    )
    queued: list[str] = []

    def enqueue(run_id: str) -> bool:
        queued.append(run_id)
        return True

    app = api.attach(create_app(Backend(settings, database.engine, enqueue, environ={}, start_checks=lambda: None)))
    app.jinja_env.bytecode_cache = COMPILED
    return World(app, database, queued, folder)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A fresh world."""
    world = build(tmp_path)
    yield world
    world.database.close()


@pytest.fixture
def database(world: World) -> Database:
    """The database under the pages."""
    return world.database


@pytest.fixture
def queued(world: World) -> list[str]:
    """Ids of the runs that the pages handed to a worker."""
    return world.queued


@pytest.fixture
def app(world: World) -> Flask:
    """The application."""
    return world.app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without scripts."""
    return app.test_client()


@pytest.fixture
def seeded(database: Database) -> seed.Seeded:
    """A finished, a running, a paused, a failed and a queued run."""
    with database.session() as session:
        return seed.fill(session)


@pytest.fixture
def post(client: FlaskClient) -> Callable[..., TestResponse]:
    """Posts a form with the mark that the page gave, as a browser does."""

    def send(path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        page = client.get("/").get_data(as_text=True)
        found = re.search(r'X-CSRFToken": "([^"]+)"', page)
        assert found, "the page holds no CSRF mark"
        return client.post(path, data={**(data or {}), "csrf_token": found[1]}, **options)

    return send


@dataclass(frozen=True)
class Site:
    """A seeded world behind a real server."""

    url: str
    world: World
    seeded: seed.Seeded


def beat(world: World, run_id: str, ending: threading.Event) -> None:
    """Be the running run's worker, as far as its lease goes."""
    with suppress(LeaseLost):
        while not ending.wait(5):
            with world.database.engine.begin() as connection:
                renew(connection, Claim(run_id, 1, LONGEST_LEASE_S))


@contextmanager
def serving(world: World, seeded: seed.Seeded) -> Iterator[Site]:
    """The world's application on a free port of this machine; its database is closed afterwards."""
    server = make_server("127.0.0.1", 0, world.app, threaded=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    ending = threading.Event()
    heart = threading.Thread(target=beat, args=(world, seeded.running.id, ending), daemon=True)
    heart.start()
    yield Site(f"http://127.0.0.1:{server.server_port}", world, seeded)
    ending.set()
    heart.join()
    server.shutdown()
    server.server_close()
    thread.join()
    world.database.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The seeded application on a free port of this machine."""
    world = build(tmp_path_factory.mktemp("site"))
    with world.database.session() as session:
        seeded = seed.fill(session)
    with serving(world, seeded) as site:
        yield site


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    if not CHROMIUM.exists():
        pytest.skip(f"there is no Chromium at {CHROMIUM}; install it with: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Visit:
    """A page with everything that it complained about and everybody whom it called."""

    page: Page
    complaints: list[str]
    foreign: list[str]


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Callable[..., Visit]]:
    """Opens pages of the site at a width and in a colour scheme."""
    contexts = []

    def open_page(path: str, *, width: int = 1280, scheme: str = "light") -> Visit:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        seen = Visit(page, [], [])
        page.on("console", lambda m: seen.complaints.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith((site.url, "data:")) else seen.foreign.append(r.url))
        page.goto(site.url + path)
        return seen

    yield open_page
    for context in contexts:
        context.close()
