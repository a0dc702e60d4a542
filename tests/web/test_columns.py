"""The columns and the order of the list of runs stand in the address, with filters and place."""

from __future__ import annotations

import re

from flask.testing import FlaskClient

from app.services import runs
from app.store.database import Database
from tests.web.seed import Seeded

USUAL = ["Run", "Status", "Result", "Test before", "Test after", "Difference", "Spent", "Took", "Created"]


def heads(page: str) -> list[str]:
    table = page[page.index('<caption class="sr">Runs') :]
    return [re.sub("<[^>]+>", "", one) for one in re.findall(r'<th scope="col"[^>]*>(.*?)</th>', table)]


def names(page: str) -> list[str]:
    return re.findall(r'<th scope="row" class="name"><a href="/runs/(\w+)"', page)


def test_columns_are_chosen_and_every_row_has_them(client: FlaskClient, seeded: Seeded) -> None:
    assert heads(client.get("/runs").text) == USUAL
    page = client.get("/runs?columns=name&columns=tokens&columns=dataset&status=done").text
    assert heads(page) == ["Run", "Dataset", "Tokens"]
    assert re.findall(r'data-label="([^"]+)"', page) == ["Dataset", "Tokens"]
    assert heads(client.get("/runs?columns=tokens,status").text) == ["Run", "Status", "Tokens"]
    assert heads(client.get("/runs?columns=name").text) == ["Run"]
    assert client.get("/runs?columns=colour").status_code == 422


def test_the_order_is_kept_beside_filters_and_columns(client: FlaskClient, seeded: Seeded) -> None:
    newest = names(client.get("/runs").text)
    assert names(client.get("/runs?sort=oldest").text) == newest[::-1]
    assert names(client.get("/runs?sort=name").text) == sorted(newest, key=lambda one: one[2:])
    page = client.get("/runs?sort=oldest&status=done&columns=created").text
    assert 'aria-sort="ascending"' in page
    link = re.search(r'class="sorts" href="([^"]+)">Created', page)
    assert link
    assert link[1].replace("&amp;", "&") == "/runs?status=done&columns=name&columns=created&sort=newest"
    assert client.get("/runs?sort=size").status_code == 422


def test_pages_follow_each_other_in_every_order(client: FlaskClient, seeded: Seeded, database: Database) -> None:
    for order in runs.ORDERS:
        found, after = [], ""
        with database.session() as session:
            while page := runs.list_runs(session, order=order, after=after, limit=2):
                found += [one.id for one in page]
                after = found[-1]
        assert found == names(client.get(f"/runs?sort={order}").text)
