"""Model configs at the API: made, changed, cloned, deleted, moved as files, and named by trainings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.conftest import BASE, FORM, Api

SAID: dict[str, Any] = {
    "model": "openai/gpt-5-mini",
    "params": {"temperature": 0.2, "reasoning_effort": "low"},
    "price": {"prompt": 1, "completion": 2},
}


def fields(answer: Any) -> list[str]:
    return [error["field"] for error in answer["errors"]]


def test_from_the_first_revision_to_the_end(web: Api) -> None:
    made = web.post("/models", {"name": "api/one", **SAID}, 201)
    assert (made["name"], made["revision"], made["active"]) == ("api/one", 1, True)
    assert made["comes_to"]["sent"] == {"reasoning_effort": "low"}
    assert [one["action"] for one in made["comes_to"]["adjustments"]] == ["drop"]
    assert made["comes_to"]["usd_per_million"]["completion_usd"] == 2
    changed = web.read(web.client.put(BASE + "/models/api/one", json={**SAID, "target_rpm": 5}), 200)
    assert [one["revision"] for one in changed["history"]] == [2, 1]
    off = web.read(web.client.put(BASE + "/models/api/one", json={"active": False}), 200)
    assert (off["active"], off["revision"]) == (False, 2)
    assert web.get("/models/api/one")["target_rpm"] == 5
    assert web.post("/models/api/one/clone", {}, 201)["name"] == "api/one 2"
    assert web.post("/models/api/one/clone", {"name": "api/two"}, 201)["revision"] == 1
    assert web.client.delete(BASE + "/models/api/one").status_code == 204
    web.get("/models/api/one", 404)
    assert {one["name"] for one in web.get("/models")["items"]} >= {"api/one 2", "api/two"}


def test_files(web: Api) -> None:
    profile = json.dumps({"model_id": "openai/filed", "input_cost_per_1k": 0.001, "output_cost_per_1k": 0.002})
    assert web.post("/models/import", {"text": profile})["created"] == ["openai/filed"]
    assert web.post("/models/import", {"text": json.dumps(web.get("/models/export"))})["created"] == []
    refused = web.post("/models/import", {"text": profile.replace("0.001", "-1")}, 422)
    assert 'line 1: "input_cost_per_1k"' in refused["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["name"]),
        ({"name": "x"}, ["model"]),
        ({"name": "x", "model": 7}, ["model"]),
        ({"name": "x", "model": "openai/x", "params": []}, ["params"]),
        ({"name": "x", "model": "openai/x", "params": {"api_base": "http://x"}}, ["api_base"]),
        ({"name": "x", "model": "openai/x", "price": {"prompt": "1"}}, ["price_prompt", "price_completion"]),
        ({"name": "x", "model": "openai/x", "target_rpm": 10**400}, ["target_rpm"]),
        ({"name": "x", "model": "openai/x", "active": "yes"}, ["active"]),
        ({"name": "x", "model": "openai/x", "wish": 1}, ["wish"]),
    ],
)
def test_what_is_wrong_is_named(web: Api, body: Any, wrong: list[str]) -> None:
    assert fields(web.post("/models", body, 422)) == wrong


def test_a_training_names_a_config(web: Api) -> None:
    web.post("/models", {"name": "sim", "model": "simulated/primary", "params": {"top_k": 3}}, 201)
    run = web.post("/trainings", {**FORM, "primary_model": "config:sim"}, 201)
    assert [(one["role"], one["param"]) for one in run["adjustments"]] == [("primary", "top_k")]
    spec = web.get(f"/runs/{run['id']}")["spec"]
    assert (spec["primary"]["name"], spec["primary"]["config"]["name"]) == ("simulated/primary", "sim")
    assert web.get(f"/runs/{run['id']}/form")["primary_model"] == "config:sim"
    assert fields(web.post("/trainings", {**FORM, "judge_model": "config:no", "scorer": ["rubric"]}, 422)) == [
        "judge_model"
    ]
