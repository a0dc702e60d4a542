"""Comparing, taking runs away and in, and prompts of other tools, at the API."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import BASE, Api
from tests.services.transfer_world import exported, packed


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An exported folder of each kind, all from one installation."""
    return exported(tmp_path_factory.mktemp("elsewhere"))


def send(web: Api, stream: io.BytesIO, status: int, **fields: str) -> Any:
    data = {"file": (io.BytesIO(stream.getvalue()), "run.zip"), **fields}
    return web.read(web.client.post(f"{BASE}/runs/import", data=data), status)


def test_a_run_comes_in_and_goes_out_again(web: Api, folders: dict[str, Path]) -> None:
    made = send(web, packed(folders["train"]), 200)
    assert (made["already"], made["origin"]) == (False, folders["train"].name)
    assert send(web, packed(folders["train"]), 200)["already"]
    assert send(web, packed(folders["train"]), 200, again="1")["id"] != made["id"]
    packed_again = web.client.get(f"{BASE}/runs/{made['id']}/export?format=zip")
    with zipfile.ZipFile(io.BytesIO(packed_again.data)) as target:
        assert f"{made['id']}/record/manifest.json" in target.namelist()
    assert "no ZIP file" in web.errors(send(web, io.BytesIO(b"x"), 422))["file"]
    bare = web.client.post(f"{BASE}/runs/import", data={"x": "1"}, content_type="multipart/form-data")
    assert "is needed" in web.errors(web.read(bare, 422))["file"]
    versions = f"of={made['id']}:0&of={made['id']}"
    found = web.get(f"/compare?{versions}&split=validation")
    first, other = found["versions"]
    assert first["difference"] is None
    assert other["difference"]["n"] > 0
    assert other["answers"]["n"] > 0
    rows = web.get(f"/compare/examples?{versions}&split=validation&limit=5")
    assert [row["answers"][0]["change"] for row in rows["items"]] == [None] * 5
    assert web.get(f"/compare/examples?{versions}&split=validation&limit=5&after={rows['next']}")["items"]
    for query in ("of=nope&of=nope2", f"of={made['id']}", f"{versions}&split=odd"):
        assert set(web.errors(web.get(f"/compare?{query}", 422))) <= {"of", "split"}


def test_versions_are_measured_on_a_dataset(web: Api) -> None:
    for name in ("one", "two"):
        web.post(f"/prompts/{name}/versions", {"system_prompt": f"Classify, {name}."}, 201)
    asked = {"version": ["one", "two@1"], "dataset": "tickets", "part": "train",
             "primary_model": "simulated/primary", "budget_calls": 30}  # fmt: skip
    assert web.post("/comparisons/estimate", asked)["calls"] > 30
    made = web.post("/comparisons", asked | {"name": "mine"}, 201)
    assert (made["kind"], made["name"], web.hints) == ("compare", "mine", [made["id"]])
    web.drive(made["id"])
    result = web.get(f"/runs/{made['id']}/result")
    assert (result["verdict"], result["stopped_by"]) == ("indecisive", "budget")
    assert web.get(f"/runs/{made['id']}/form")["version"] == ["one@1", "two@1"]
    assert set(web.errors(web.post("/comparisons", asked | {"version": ["one", "gone"]}, 422))) == {"version-1"}


def test_prompts_of_other_tools_come_in(web: Api) -> None:
    text = json.dumps({"name": "critic", "type": "text", "prompt": "Rate {movie}"})
    (one,) = web.post("/prompts/import", {"text": text}, 201)["items"]
    assert (one["prompt"], one["messages"][0]["content"], one["adjusted"]) == ("critic", "Rate {{movie}}", ["movie"])
    assert web.client.put(f"{BASE}/prompts/critic/labels/production", json={"version": 1}).status_code == 200
    assert [move["version"] for move in web.get("/prompts/critic/labels")["items"]] == [1]
    assert "no prompt" in web.errors(web.post("/prompts/import", {"text": "{}"}, 422))["file"]
