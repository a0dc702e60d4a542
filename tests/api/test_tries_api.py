"""A try through the API: its estimate, its answers, and the example that is made of one."""

from __future__ import annotations

from tests.api.conftest import Api

ASKED = {
    "models": ["simulated/primary", "simulated/optimizer"],
    "input": "I want my money back",
    "system_prompt": "Say {{what}}.",
}


def test_a_try_is_estimated_started_read_and_kept(web: Api) -> None:
    asked = {**ASKED, "variables": {"what": "the topic"}}
    estimate = web.post("/tries/estimate", asked)
    assert (estimate["calls"], estimate["unpriced"]) == (2, [])
    assert 0 < estimate["usd_high"] < 0.1
    run = web.post("/tries", asked, 201)
    assert (run["kind"], run["dataset"], run["status"]) == ("try", None, "queued")
    assert [one["state"] for one in web.get(f"/tries/{run['id']}")["answers"]] == ["waiting", "waiting"]
    web.drive(run["id"])
    tried = web.get(f"/tries/{run['id']}")
    assert [one["state"] for one in tried["answers"]] == ["answered", "answered"]
    assert tried["calls"] == 2
    assert sum(one["answer"]["cost_usd"] for one in tried["answers"]) > 0
    assert web.get(f"/runs/{run['id']}/result")["answers"] == tried["answers"]
    kept = web.post(f"/tries/{run['id']}/example", {"dataset": "kept", "answer": "refund"}, 201)
    assert (kept["name"], kept["rows"]) == ("kept", 1)
    assert web.post(f"/tries/{run['id']}/example", {"dataset": "kept", "answer": "a refund"}, 201)["name"] == "kept v2"


def test_what_is_wrong_is_named_by_its_field(web: Api) -> None:
    errors = web.errors(web.post("/tries", {**ASKED, "models": ["nobody/x"], "colour": "red", "temperature": 9}, 422))
    assert {"models", "colour", "temperature", "variables"} == set(errors)
    assert {"variables"} == set(web.errors(web.post("/tries", {**ASKED, "variables": {"what": 3}}, 422)))
    web.get("/tries/nothere", 404)
