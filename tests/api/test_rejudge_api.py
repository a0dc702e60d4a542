"""Judging a training again over the API."""

from __future__ import annotations

import pytest

from app.store.models import Run
from tests.api.conftest import Api
from tests.faults.kinds import drive_to_end
from tests.services.rejudge_world import finished


@pytest.fixture
def run(web: Api) -> Run:
    with web.database.session() as session:
        return finished(session)


def test_a_training_is_judged_again(web: Api, run: Run) -> None:
    path = f"/runs/{run.id}/rejudge"
    found = web.post(f"{path}/estimate", {"seed": 3, "missing": "buy"})
    assert 0 < found["answers_low"] <= found["answers_high"]
    assert web.post(f"{path}/estimate")["answers_high"] == 0
    made = web.post(path, {"acceptance": "confidence", "name": "stricter"}, 201)
    assert (made["kind"], made["name"], made["prompt"], made["hinted"]) == ("rejudge", "stricter", None, True)
    with web.database.session() as session:
        drive_to_end(session, made["id"])
    outcome = web.get(f"/runs/{made['id']}")["outcome"]
    assert outcome["changed"] == run.outcome["accepted"] > 0
    assert {one["now"]["fate"] for one in outcome["decisions"]} <= {"rejected", "invalid"}
    assert web.get(f"/runs/{made['id']}/result")["verdict"] == "would_keep"
    assert web.get(f"/runs/{made['id']}/bill")["calls"] == 0


def test_what_cannot_be_judged_is_refused(web: Api, run: Run) -> None:
    path = f"/runs/{run.id}/rejudge"
    assert "missing" in web.errors(web.post(path, {"missing": "steal"}, 422))
    assert "epochs" in web.errors(web.post(path, {"epochs": 3}, 422))
    assert "dataset" in web.errors(web.post(path, {"dataset": "tickets"}, 422))
    assert "scorer" in web.errors(web.post(path, {"scorer": [7]}, 422))
    assert "name" in web.errors(web.post(path, {"name": 7}, 422))
    web.post("/runs/nothing/rejudge", {}, 404)
    made = web.post(path, {}, 201)
    web.post(f"/runs/{made['id']}/rejudge", {}, 409)
