"""The bill of a run, the spending of all, and what a person decides about a run that an outage or a crash cut short."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.services import datasets, runs
from app.store import claims, removal
from app.store.database import Database
from app.store.models import CallRow, Run
from app.store.types import epoch_now
from tests.web import bills
from tests.web.forms import FORM, ROWS, errors
from tests.web.seed import Seeded


def text(client: FlaskClient, path: str, status: int = 200) -> str:
    """The page's text without its markup, for what is read; fails on another status."""
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.get_data(as_text=True)))
    return words.replace(" )", ")")


@pytest.fixture
def billed(database: Database, seeded: Seeded) -> str:
    """The id of a run with everything in its bill."""
    with database.session() as session:
        return bills.add(session, seeded).id


@pytest.fixture
def resting(database: Database, seeded: Seeded) -> str:
    """The id of a run that an outage paused for ten minutes."""
    with database.session() as session:
        run = session.get_one(Run, "r2paused")
        run.resume_at = session.scalars(select(epoch_now())).one() + 600
        session.commit()
        return run.id


def test_the_bill_is_an_interval_by_model_day_and_lane(client: FlaskClient, billed: str) -> None:
    page = text(client, f"/runs/{billed}/bill")
    assert "At least $0.0176 with 2 sendings of unknown fate, and 1 call of unknown price" in page
    assert "$0.0216" in page
    assert "without 1 of unknown price" in page
    assert "31 % of all, saved $0.0080" in page
    assert "Simulated models cost simulated money." in page
    for model in (bills.PRIMARY, bills.OPTIMIZER, bills.OWN):
        assert model in page
    assert "By day" in page
    row = re.search(r"240 a minute [\d.]+ a minute 42 8 6.0 s 750 ms 1 ", page)
    assert row is not None
    assert "no limit" in page
    assert re.search(r"Speed .* not streamed .* Last token 400 ms 400 ms 400 ms \d+ ", page)


def test_a_bill_without_doubts_is_one_sum(client: FlaskClient, seeded: Seeded, database: Database) -> None:
    with database.session() as session:
        session.query(CallRow).where(CallRow.uncertain > 0).update({"uncertain": 0})
        session.commit()
    page = text(client, "/runs/r0finished/bill")
    assert "Every sending has an answer on record." in page
    assert "between" not in page
    assert "switched off for this run" in page


def test_the_bill_stays_when_the_calls_are_pruned(client: FlaskClient, billed: str, database: Database) -> None:
    with database.session() as session:
        run = session.get_one(Run, billed)
        run.status = "done"
        session.flush()
        assert removal.mark_calls_pruned(session.connection(), billed)
        session.query(CallRow).where(CallRow.run_id == billed).delete()
        session.commit()
    page = text(client, f"/runs/{billed}/bill")
    assert "At least $0.0176" in page
    assert "Its bill stays" in page
    assert "Mean wait" not in page


def test_a_run_without_calls_has_nothing_to_pay(client: FlaskClient, seeded: Seeded) -> None:
    assert "This run has not called a model yet" in text(client, "/runs/r4queued/bill")


def test_the_bill_of_a_running_run_is_fetched_again(client: FlaskClient, seeded: Seeded) -> None:
    page = client.get("/runs/r1running/bill").get_data(as_text=True)
    assert 'hx-sse:connect="/runs/r1running/events' in page
    assert 'hx-select="#bill"' in page
    assert "hx-sse:connect" not in client.get("/runs/r0finished/bill").get_data(as_text=True)


def test_the_overview_counts_what_came_from_the_cache(client: FlaskClient, billed: str) -> None:
    page = text(client, f"/runs/{billed}")
    assert "20 from the cache, 2 of unknown fate" in page


def test_calls_show_the_cache_and_the_rate_limit(client: FlaskClient, billed: str, database: Database) -> None:
    page = client.get(f"/runs/{billed}/calls?show=cached").get_data(as_text=True)
    assert page.count(">cached</span>") == page.count("</tr>") - 1 == 20
    with database.session() as session:
        cached, waited = (
            session.scalars(select(CallRow.id).where(CallRow.run_id == billed, CallRow.key == key)).one()
            for key in ("k0", "k1")
        )
    assert "from the cache; it cost $0.0004 when it was bought" in text(client, f"/runs/{billed}/calls/{cached}")
    assert f"waited 750 ms {bills.PRIMARY}, refused 1 time by the provider" in text(
        client, f"/runs/{billed}/calls/{waited}"
    )


def test_spending_keeps_real_and_simulated_money_apart(client: FlaskClient, billed: str) -> None:
    page = client.get("/spending?days=7").get_data(as_text=True)
    read = text(client, "/spending?days=7")
    real, simulated = re.split('id="money-2"', page)
    assert bills.PRIMARY in real
    assert bills.OPTIMIZER not in real
    assert bills.OPTIMIZER in simulated
    assert bills.PRIMARY not in simulated.split("Shortcuts")[0].replace("columns-chart", "")
    assert f"/runs/{billed}/bill" in real
    assert real.count("<g><title>") == 7
    assert "Real money: at least $0.0160 with 2 sendings of unknown fate, and 1 call of unknown price" in read


def test_spending_keeps_deleted_runs(client: FlaskClient, billed: str, post: Callable[..., TestResponse]) -> None:
    post(f"/runs/{billed}/delete")
    read = text(client, "/spending?days=7")
    assert f"{billed} deleted" in read
    assert f"/runs/{billed}/bill" not in client.get("/spending?days=7").get_data(as_text=True)


def test_spending_without_any_says_so(client: FlaskClient) -> None:
    assert "Nothing was spent" in text(client, "/spending")
    assert "days" in text(client, "/spending?days=0", 422)
    assert "days" in text(client, "/spending?days=many", 422)


def test_a_run_paused_by_an_outage_says_when_it_goes_on(
    client: FlaskClient, resting: str, post: Callable[..., TestResponse], database: Database
) -> None:
    page = text(client, f"/runs/{resting}")
    assert re.search(r"Tried again by itself at \d\d:\d\d UTC \(in about (9 min \d+ s|10 min)\)", page)
    assert "Resume now" in page
    answer = post(f"/runs/{resting}/pause", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "Tried again" not in answer
    assert "Wait for me" not in answer
    with database.session() as session:
        assert runs.get(session, resting).resume_at == 0
    assert resting not in claims.abandoned(database)


def test_resuming_now_does_not_wait(
    client: FlaskClient, resting: str, post: Callable[..., TestResponse], queued: list[str]
) -> None:
    assert post(f"/runs/{resting}/resume").status_code == 303
    assert queued == [resting]
    assert "Tried again" not in text(client, f"/runs/{resting}")


@pytest.mark.parametrize(("decision", "error"), [("repeat", "interrupted"), ("skip", "unknown_fate")])
def test_cut_off_calls_are_decided_with_one_of_two_buttons(
    client: FlaskClient, billed: str, post: Callable[..., TestResponse], database: Database, decision: str, error: str
) -> None:
    page = client.get(f"/runs/{billed}").get_data(as_text=True)
    assert "2 calls were cut off after sending" in page
    assert "Send them again" in page
    assert "Leave them out" in page
    assert "Resume" not in re.sub(r"<dl class=.facts.>.*?</dl>", "", page, flags=re.DOTALL).split("<h2")[0]
    assert post(f"/runs/{billed}/resume", {"uncertain": decision}).status_code == 303
    with database.session() as session:
        assert runs.get(session, billed).status == "queued"
        assert {call.error for call in runs.calls(session, billed, show="errors")} == {error}
        assert runs.calls(session, billed, show="open") == []


@pytest.mark.parametrize("said", ["", "perhaps", "<b>\0"])
def test_no_decision_and_a_wrong_one_are_refused_in_words(
    billed: str, post: Callable[..., TestResponse], queued: list[str], said: str
) -> None:
    refused = post(f"/runs/{billed}/resume", {"uncertain": said})
    assert refused.status_code == 422
    assert "uncertain" in refused.get_data(as_text=True)
    assert queued == []


def test_a_training_chooses_cache_rate_and_rule(
    client: FlaskClient, post: Callable[..., TestResponse], database: Database
) -> None:
    wrong = {"target_rpm": "fast", "cache": "maybe", "on_uncertain": "pray"}
    said = errors(post("/trainings/new", {**FORM, **wrong}))
    assert set(wrong) <= set(said)
    page = client.get("/trainings/new").get_data(as_text=True)
    assert all(f'id="{name}-help"' in page for name in wrong)
    with database.session() as session:
        datasets.import_file(session, io.BytesIO(f"input,answer\n{ROWS}".encode()), "mine.csv", name="mine")
    chosen = {"target_rpm": "90", "cache": "off", "on_uncertain": "ask"}
    started = post("/trainings/new", {**FORM, **chosen, "do": "start"})
    assert started.status_code == 303, errors(started)
    run_id = started.headers["Location"].rsplit("/", 1)[1]
    with database.session() as session:
        spec = runs.get(session, run_id).spec
    assert (spec["cache"], spec["calls"]["on_uncertain"], spec["calls"]["target_rpm"]) == ("off", "ask", 90)
    assert spec["calls"]["lanes"]["simulated/primary"]["rpm"] == 90
    clone = client.get(f"/trainings/new?from={run_id}").get_data(as_text=True)
    assert 'name="target_rpm" value="90"' in clone
    assert '<option value="off" selected>' in clone
    assert '<option value="ask" selected>' in clone
    told = text(client, f"/runs/{run_id}/settings")
    assert "90 requests a minute" in told
