"""What charts and matrices show, through the API."""

from __future__ import annotations

import pytest

from tests.api.conftest import FORM, Api


def test_a_run_tells_its_cost_over_time_and_its_answers_by_label(web: Api) -> None:
    run_id = web.post("/trainings", {**FORM, "epochs": 1}, 201)["id"]
    assert web.get(f"/runs/{run_id}/timeline")["points"] == []
    assert web.get(f"/runs/{run_id}/confusion")["versions"] == []
    web.drive(run_id)
    last = web.get(f"/runs/{run_id}/timeline")["points"][-1]["roles"]
    spent = web.get(f"/runs/{run_id}")["spent"]
    assert sum(one["known_usd"] for one in last.values()) == pytest.approx(spent["cost_usd"])
    found = web.get(f"/runs/{run_id}/confusion?split=test")
    baseline = web.get(f"/runs/{run_id}/result")["baseline"]
    first = found["versions"][0]
    assert (first["number"], first["n"]) == (0, sum(map(sum, first["counts"])))
    assert first["agreeing"] / first["n"] == pytest.approx(baseline)
    assert len(first["counts"]) == len(found["labels"]) == len(first["counts"][0]) - 1
    assert "split" in web.errors(web.get(f"/runs/{run_id}/confusion?split=all", 422))
    web.get("/runs/nope/timeline", 404)
    web.get("/runs/nope/confusion", 404)
