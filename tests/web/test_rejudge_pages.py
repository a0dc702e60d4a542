"""Judging a training again from its page, and the history of a version, in a browser without and with scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert

from app.services import labels, runs
from app.store.database import Database
from app.store.models import Dataset, Run, SampleRow
from tests.faults.kinds import drive_to_end
from tests.services.rejudge_world import again, finished
from tests.web.conftest import Site, Visit
from tests.web.forms import errors, post


@pytest.fixture
def run(database: Database) -> Run:
    with database.session() as session:
        return finished(session)


FORM = {"scorer": "exact_match", "acceptance": "improvement", "alpha": "0.05", "seed": "8", "missing": "leave"}


def work(database: Database, run_id: str) -> Run:
    """Do a worker's work on a run."""
    with database.session() as session:
        drive_to_end(session, run_id)
    with database.session() as session:
        return runs.get(session, run_id)


def test_a_finished_training_is_judged_again(
    client: FlaskClient, database: Database, queued: list[str], run: Run
) -> None:
    assert f"/runs/{run.id}/rejudge" in client.get(f"/runs/{run.id}").text
    page = client.get(f"/runs/{run.id}/rejudge")
    assert page.status_code == 200
    assert " answers, at no cost" in page.text
    sent = post(client, f"/runs/{run.id}/rejudge", FORM | {"acceptance": "confidence"})
    assert sent.status_code == 303
    made = work(database, queued[0])
    page = client.get(f"/runs/{made.id}")
    assert "Exploratory" in page.text
    assert "Then and now" in page.text
    assert page.text.count("<strong>changed</strong>") == run.outcome["accepted"] > 0
    assert "no further look at the test" in page.text
    assert f"/runs/{made.id}/rejudge" not in page.text
    for tab in ("examples", "calls", "bill", "log", "settings", "report.html", "samples.csv", "proposals/1"):
        assert client.get(f"/runs/{made.id}/{tab}").status_code == 200, tab
    assert "Decisions then and now" in client.get(f"/runs/{made.id}/report.html").text
    assert made.id in client.get("/runs?kind=rejudge").text
    assert made.id not in client.get("/runs?kind=train").text
    assert client.get(f"/compare?a={run.id}:0&b={made.id}:0").status_code == 200


def test_the_count_follows_the_form(client: FlaskClient, run: Run) -> None:
    count = f"/runs/{run.id}/rejudge/missing"
    assert "nothing" in post(client, count, FORM).text
    bought = post(client, count, FORM | {"seed": "3", "missing": "buy"}).text
    assert "They are bought." in bought
    assert "about" in bought
    assert "marked not measured" in post(client, count, FORM | {"seed": "3"}).text
    assert "there is no scorer" in post(client, count, FORM | {"scorer": "odd"}).text


def test_bad_input_is_told_beside_its_field_and_nothing_is_lost(
    client: FlaskClient, queued: list[str], run: Run
) -> None:
    page = post(client, f"/runs/{run.id}/rejudge", FORM | {"alpha": "7", "scorer": "odd:<b>", "missing": "steal"})
    assert page.status_code == 422
    assert {"alpha", "scorer", "missing"} <= set(errors(page))
    assert "odd:&lt;b&gt;" in page.text
    assert queued == []


def test_the_same_form_sent_twice_makes_one_run(client: FlaskClient, run: Run) -> None:
    twice = FORM | {"once": "0123456789"}
    first, second = (post(client, f"/runs/{run.id}/rejudge", twice).location for _ in range(2))
    assert first == second


def test_what_cannot_be_judged_again_says_so(client: FlaskClient, database: Database, run: Run) -> None:
    with database.session() as session:
        made, _ = again(session, run)
    assert client.get(f"/runs/{made.id}/rejudge").status_code == 409
    assert client.get("/runs/nothing/rejudge").status_code == 404


def test_the_history_is_rescored_with_one_click(
    client: FlaskClient, database: Database, queued: list[str], run: Run
) -> None:
    with database.session() as session:
        dataset = session.get_one(Dataset, run.dataset_id)
        labels.rule(session, dataset, 3, labels.Decision("exclude"))
        made = labels.make_version(session, dataset)
    page = f"/datasets/{made.id}/changes"
    assert "Re-score the history" in client.get(page).text
    sent = post(client, f"/datasets/{made.id}/rescore/{run.id}")
    assert sent.status_code == 303
    judged = work(database, queued[0])
    assert judged.outcome["left_out"] == 1
    assert judged.id in client.get(page).text
    assert "on small40 v2 in place of small40" in client.get(f"/runs/{judged.id}").text
    assert post(client, f"/datasets/{run.dataset_id}/rescore/nothing").status_code == 404


@pytest.fixture
def opened(site: Site) -> Iterator[Run]:
    """A finished training in the site of the browser."""
    with site.world.database.session() as session:
        yield finished(session)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_the_form_counts_while_it_is_filled_in(
    opened: Run, visit: Callable[..., Visit], width: int, scheme: str
) -> None:
    seen = visit(f"/runs/{opened.id}/rejudge", width=width, scheme=scheme)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    assert "nothing" in seen.page.locator("#missing-count").inner_text()
    seen.page.locator("#seed").fill("3")
    seen.page.wait_for_selector("#missing-count >> text=marked not measured")
    seen.page.locator("#missing").select_option("buy")
    seen.page.wait_for_selector("#missing-count >> text=They are bought.")
    assert (seen.complaints, seen.foreign) == ([], [])


def test_with_very_many_answers_it_counts_when_it_is_asked_to(
    client: FlaskClient, database: Database, run: Run
) -> None:
    with database.session() as session:
        one = session.query(SampleRow).filter_by(run_id=run.id).first()
        assert one
        same = {c.name: getattr(one, c.name) for c in SampleRow.__table__.columns if c.name not in ("id", "key")}
        rows = [same | {"key": f"more {n}", "candidate": "f" * 32, "case": str(n)} for n in range(20_001)]
        session.execute(insert(SampleRow), rows)
        session.commit()
    assert "takes a moment" in client.get(f"/runs/{run.id}/rejudge").text
    count = f"/runs/{run.id}/rejudge/missing"
    assert "takes a moment" in post(client, count, FORM).text
    assert " answers, at no cost" in post(client, count, FORM | {"count": "1"}).text
    assert post(client, f"/runs/{run.id}/rejudge", FORM).status_code == 303


def test_a_dataset_goes_out_as_csv(client: FlaskClient, run: Run) -> None:
    page = client.get(f"/datasets/{run.dataset_id}/rows.csv")
    assert page.mimetype == "text/csv"
    assert page.text.splitlines()[0] == "row,user_input,ground_truth_output"
    assert f"/datasets/{run.dataset_id}/rows.csv" in client.get(f"/datasets/{run.dataset_id}").text
