"""What runs cost, and what becomes of calls that were cut off, through the API."""

from __future__ import annotations

from typing import Any

import pytest

from app.store.models import CallRow, Run
from tests.api.conftest import BASE, FORM, Api


def trained(web: Api, **changes: Any) -> str:
    """The id of a short training that is done."""
    run_id: str = web.post("/trainings", {**FORM, "epochs": 1, **changes}, 201)["id"]
    web.drive(run_id)
    return run_id


def cut_off(web: Api) -> str:
    """The id of a paused run that asks about two calls."""
    run_id = trained(web, on_uncertain="ask")
    with web.database.session() as session:
        run = session.get_one(Run, run_id)
        run.status, run.spent = "paused", None
        for call in session.query(CallRow).where(CallRow.run_id == run_id).limit(2):
            call.settled = False
        session.commit()
    return run_id


def test_the_bill_of_a_run_adds_up(web: Api) -> None:
    run_id = trained(web, target_rpm=60_000)
    bill, shown = web.get(f"/runs/{run_id}/bill"), web.get(f"/runs/{run_id}")
    for name, value in shown["spent"].items():
        assert bill[name] == pytest.approx(value), name
    assert bill["simulated"] is True
    assert bill["cost_high_usd"] == bill["cost_usd"] > 0
    assert [(line["role"], line["model"]) for line in bill["by_model"]] == [
        ("primary", "simulated/primary"),
        ("optimizer", "simulated/optimizer"),
    ]
    for parts in (bill["by_model"], bill["by_day"]):
        assert sum(part["calls"] for part in parts) == bill["calls"]
        assert sum(part["cost_usd"] for part in parts) == pytest.approx(bill["cost_usd"])
    speed = {line["model"]: line for line in bill["speed"]}["simulated/primary"]
    assert 0 < speed["replies"] <= bill["calls"]
    assert speed["estimated"] == speed["replies"]
    assert speed["ttft_s"] == {"n": 0, "p50": None, "p95": None, "p99": None}, "it is not streamed"
    assert 0 < speed["ttlb_s"]["p50"] <= speed["ttlb_s"]["p95"] <= speed["ttlb_s"]["p99"]
    rates = {rate["model"]: rate for rate in bill["rates"]}
    primary = rates["simulated/primary"]
    assert primary["target_rpm"] == 60_000
    assert rates["simulated/optimizer"]["target_rpm"] is None
    assert primary["actual_rpm"] > 0
    assert sum(rate["sendings"] for rate in rates.values()) >= bill["calls"]
    web.get("/runs/nope/bill", 404)


def test_the_second_training_is_on_the_bill_as_cached(web: Api) -> None:
    first, second = (web.get(f"/runs/{trained(web)}/bill") for _ in range(2))
    assert second["calls"] == 0
    assert second["cached_calls"] == first["calls"]
    assert second["saved_usd"] == pytest.approx(first["cost_usd"])
    assert second["rates"] == []


def test_spending_has_simulated_money_apart(web: Api) -> None:
    nothing = web.get("/spending")
    assert nothing["real"]["calls"] == nothing["simulated"]["calls"] == 0
    assert len(nothing["real"]["by_day"]) == 30
    run_id = trained(web)
    spending, bill = web.get("/spending?days=2"), web.get(f"/runs/{run_id}/bill")
    assert spending["real"]["calls"] == 0
    assert spending["simulated"]["cost_usd"] == pytest.approx(bill["cost_usd"])
    assert [day["day"] for day in spending["simulated"]["by_day"]] == [spending["from"], spending["to"]]
    assert [one["run"] for one in spending["simulated"]["runs"]] == [run_id]
    assert {one["role"] for one in spending["simulated"]["by_role"]} == {"primary", "optimizer"}


@pytest.mark.parametrize("days", ["0", "-1", "x", "3661", "1e3", "9" * 30])
def test_wrong_days_are_refused(web: Api, days: str) -> None:
    assert set(web.errors(web.get(f"/spending?days={days}", 422))) == {"days"}


@pytest.mark.parametrize(("decision", "error"), [("repeat", "interrupted"), ("skip", "unknown_fate")])
def test_cut_off_calls_want_a_decision(web: Api, decision: str, error: str) -> None:
    run_id = cut_off(web)
    assert web.get(f"/runs/{run_id}")["spent"]["open_calls"] == 2
    for body, words in (
        ({}, "2 calls were cut off"),
        ({"uncertain": "maybe"}, "repeat or skip"),
        ({"uncertain": 5}, "text"),
    ):
        assert words in web.errors(web.post(f"/runs/{run_id}/resume", body, 422))["uncertain"]
    answer = web.post(f"/runs/{run_id}/resume", {"uncertain": decision})
    assert (answer["status"], answer["resume_at"], web.hints[-1]) == ("queued", None, run_id)
    with web.database.session() as session:
        assert session.query(CallRow).where(CallRow.run_id == run_id, CallRow.error == error).count() == 2


def test_resuming_needs_no_body(web: Api) -> None:
    run_id = trained(web)
    with web.database.session() as session:
        session.get_one(Run, run_id).status = "paused"
        session.commit()
    response = web.client.post(f"{BASE}/runs/{run_id}/resume", content_type="application/json")
    assert web.read(response, 200)["status"] == "queued"


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"{", b"\xff"])
def test_a_body_that_is_no_object_is_refused(web: Api, body: bytes) -> None:
    response = web.client.post(f"{BASE}/runs/x/resume", data=body, content_type="application/json")
    assert web.errors(web.read(response, 422))
