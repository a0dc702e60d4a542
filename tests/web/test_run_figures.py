"""The lineage of a run and what it cost over time, as its page and the API show them."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.services import runs
from app.store.database import Database
from app.store.models import CallRow, SampleRow
from tests.web.seed import Seeded


def test_cost_climbs_to_what_was_spent(client: FlaskClient, seeded: Seeded, database: Database) -> None:
    found = client.get("/runs/r0finished/timeline.json").get_json()
    with database.session() as session:
        totals = runs.totals(session, "r0finished")
    last = found["points"][-1]["roles"].values()
    assert sum(one["known_usd"] for one in last) == pytest.approx(totals.cost_usd)
    assert sum(one["calls"] for one in last) == totals.calls
    assert sum(one["tokens"] for one in last) == totals.prompt_tokens + totals.completion_tokens
    primary = [point["roles"]["primary"]["known_usd"] for point in found["points"]]
    assert primary[0] == 0
    assert primary == sorted(primary)
    seconds = [point["seconds"] for point in found["points"]]
    assert seconds == sorted(set(seconds))
    assert len(seconds) > 5


def test_without_calls_on_record_there_is_no_curve(client: FlaskClient, seeded: Seeded, database: Database) -> None:
    assert client.get("/runs/r4queued/timeline.json").get_json() == {"start": None, "unpriced_calls": 0, "points": []}
    with database.session() as session:
        session.query(CallRow).filter_by(run_id="r0finished").delete()
        session.commit()
    assert client.get("/runs/r0finished/timeline.json").get_json()["points"] == []


def test_the_lineage_names_every_proposal_and_the_best(client: FlaskClient, seeded: Seeded) -> None:
    page = client.get("/runs/r0finished").text
    lineage = page[page.index('id="run-lineage"') :]
    lineage = lineage[: lineage.index("</section>")]
    assert lineage.count("data-opens") == 7
    assert lineage.count(">best<") == 1
    assert 'aria-description="made from initial prompts"' in lineage
    assert "None" not in lineage
    assert "It begins with the first proposal." in client.get("/runs/r4queued").text


def test_a_choice_of_the_chart_stands_in_the_address(client: FlaskClient, seeded: Seeded) -> None:
    assert 'data-measure="usd"' in client.get("/runs/r0finished").text
    assert 'data-measure="tokens"' in client.get("/runs/r0finished?measure=tokens").text
    assert client.get("/runs/r0finished?measure=soup").status_code == 422


def test_the_second_answer_is_shown_as_a_change_of_the_first(
    client: FlaskClient, seeded: Seeded, database: Database
) -> None:
    with database.session() as session:
        last = (
            session.query(SampleRow).filter_by(run_id="r0finished", split="test").order_by(SampleRow.id.desc()).first()
        )
        assert last
        twin = session.query(SampleRow).filter_by(run_id="r0finished", split="test", case=last.case)
        for at, one in enumerate(twin.order_by(SampleRow.id)):
            one.response = ("the very same, but old", "the very same, but new")[at]
        session.commit()
    changed = client.get("/runs/r0finished/examples").text
    assert "the very same, but <del>old</del><ins>new</ins>" in changed
    assert changed.count("<del>") == 1
    plain = client.get("/runs/r0finished/examples?view=plain").text
    assert "<del>" not in plain
    assert 'name="view" value="plain"' in plain
