"""Doubtful answers, rulings and versions over the API."""

from __future__ import annotations

from tests.api.conftest import BASE, Api
from tests.services.label_world import ALSO, GOOD, answered, colours, trained


def doubted(web: Api) -> str:
    """Path of a dataset whose row 3 two prompts answer alike."""
    with web.database.session() as session:
        run = trained(session, colours(session))
        for candidate in (GOOD, ALSO):
            answered(session, run, candidate, {3: "azure"})
    return "/datasets/colours"


def put(web: Api, path: str, body: dict[str, object], status: int = 200) -> object:
    return web.read(web.client.put(BASE + path, json=body), status)


def test_doubts_rulings_and_versions(web: Api) -> None:
    path = doubted(web)
    found = web.get(f"{path}/labels?state=open")
    assert [(one["row"], one["suggestion"], one["evidence"]) for one in found["items"]] == [
        (3, "azure", "all 2 wrong, 2 agree")
    ]
    assert "run1" not in str(found)
    assert put(web, f"{path}/labels/3", {"ruling": "correct", "reference": "azure"})
    assert web.get(f"{path}/labels?state=open")["items"] == []
    made = web.post(f"{path}/versions", status=201)
    assert (made["name"], made["version"]) == ("colours v2", 2)
    assert web.post(f"{path}/versions", status=201)["id"] == made["id"]
    assert [one["name"] for one in web.get(f"{path}/versions")["items"]] == ["colours", "colours v2"]
    changed = web.get(f"/datasets/{made['id']}/changes")["items"]
    assert changed == [{"row": 3, "input": "colour 3", "before": "blue", "after": "azure"}]
    assert web.get(f"{path}/changes")["items"] == []
    assert web.client.delete(f"{BASE}{path}/labels/3").status_code == 204
    web.read(web.client.delete(f"{BASE}{path}/labels/3"), 404)
    assert len(web.get(f"{path}/labels?state=open&limit=1")["items"]) == 1


def test_bad_requests_are_refused_in_words(web: Api) -> None:
    path = doubted(web)
    web.post(f"{path}/versions", status=409)
    assert "at most" not in str(put(web, f"{path}/labels/99", {"ruling": "keep"}, 404))
    refused = put(web, f"{path}/labels/3", {"ruling": "correct", "reference": "blue"}, 422)
    assert web.errors(refused)["reference"].startswith("is the answer that stands there already")
    assert "ruling" in web.errors(put(web, f"{path}/labels/3", {}, 422))
    assert "ruling" in web.errors(put(web, f"{path}/labels/3", {"ruling": 7}, 422))
    assert "after" in web.errors(web.get(f"{path}/labels?after=x", 422))
    assert "sign" in web.errors(web.get(f"{path}/labels?sign=x", 422))
    web.get(f"{path}/changes?against=tickets", 409)
    assert web.client.get(f"{BASE}{path}/export").text.startswith("row,input,answer")
