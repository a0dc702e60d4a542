from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.conftest import BASE, FORM, Api


def test_a_bad_upload_is_refused_by_field(web: Api) -> None:
    assert "same name" in web.errors(web.upload(b"a,a\n1,2\n", status=422))["file"]
    assert "columns x, y" in " ".join(web.errors(web.upload(b"x,y\n1,2\n", status=422)).values())
    nothing = web.client.post(BASE + "/datasets", data={"name": "x"}, content_type="multipart/form-data")
    assert "file" in web.errors(web.read(nothing, 422))
    assert "other content" in web.errors(web.upload(b"input,answer\n1,2\n", status=409))[""]


def test_bad_prompts_are_refused_by_field(web: Api) -> None:
    assert "colour" in web.errors(web.post("/prompts/x/versions", {"colour": "red", "system_prompt": "a"}, 422))
    assert "system_prompt" in web.errors(web.post("/prompts/x/versions", {"system_prompt": 5}, 422))
    assert web.errors(web.post("/prompts/x/versions", {}, 422))
    web.get("/prompts/x", 404)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"epochs": 0, "batch_size": "x"}, ["batch_size", "epochs"]),
        ({"epohcs": 3}, ["epohcs"]),
        ({"dataset": ""}, ["dataset"]),
        ({"scorer": ["vibes"]}, ["scorer"]),
        ({"primary_model": "nobody/x"}, ["primary_model"]),
        ({"name": 5}, ["name"]),
        ({"system_prompt": ["a"]}, ["system_prompt"]),
        ({"budget_usd": "NaN"}, ["budget_usd"]),
    ],
    ids=str,
)
def test_a_wrong_training_is_refused_by_field(web: Api, changes: dict[str, Any], fields: list[str]) -> None:
    assert sorted(web.errors(web.post("/trainings", {**FORM, **changes}, 422))) == fields
    assert web.hints == []


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b"null", b"\xff", b"[" * 100_000, b'{"a": 1e999}'])
def test_what_is_no_json_object_is_refused(web: Api, body: bytes) -> None:
    response = web.client.post(BASE + "/trainings", data=body, content_type="application/json")
    assert response.status_code == 422
    assert response.json
    assert response.json["errors"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "limit=-1", "after=x", "after=1e9", "after=9" * 30]
)
def test_wrong_numbers_of_a_query_are_refused(web: Api, query: str) -> None:
    assert set(web.errors(web.get(f"/datasets/tickets/examples?{query}", 422))) == {query.partition("=")[0]}


@pytest.mark.parametrize(
    "path", ["/runs/nope", "/runs/nope/events", "/datasets/nope", "/prompts/nope", "/nothing", "/runs/a\x00b"]
)
def test_what_is_not_there_is_404(web: Api, path: str) -> None:
    assert web.errors(web.get(path, 404))[""]


@pytest.mark.parametrize(
    "odd", ["\x00", "\ud800", "a\x00b", "\x1b[31m", "\u202e", "x" * 400_000, " ", "\n", "../..", "{{x"]
)
def test_odd_texts_never_break_anything(web: Api, odd: str) -> None:
    quoted = json.dumps(odd)[1:-1]
    for path, body in (
        ("/trainings", {**FORM, "name": odd, "primary_model": odd, "scorer": [odd], "dataset": odd, "split": odd}),
        ("/trainings/estimate", {**FORM, "system_prompt": odd}),
        ("/trainings/estimate", {**FORM, "instructions": odd, "prompt": odd}),
        ("/prompts/odd/versions", {"system_prompt": odd, "description": odd, "tags": [odd]}),
    ):
        response = web.client.post(BASE + path, data=json.dumps(body), content_type="application/json")
        assert response.status_code in (200, 201, 422), (path, quoted[:50], response.text[:500])
    for where in (
        "/runs?status=",
        "/runs?search=",
        "/runs?after=",
        "/prompts?search=",
        "/datasets/tickets/examples?search=",
    ):
        response = web.client.get(BASE + where + quote(odd[:2000].encode("utf-8", "surrogatepass")))
        assert response.status_code in (200, 404, 422), (where, quoted[:50], response.text[:500])
    upload = {
        "file": (io.BytesIO(b"input,answer\na,b\nc,d\n"), "x.csv"),
        "name": odd.encode("utf-8", "replace").decode(),
    }
    assert web.client.post(BASE + "/datasets", data=upload).status_code in (201, 413, 422)


def test_a_foreign_page_can_change_nothing(web: Api) -> None:
    path = BASE + "/trainings"
    foreign = ["http://evil.example", "null", "http://localhost.evil.example", "https://localhost"]
    for origin in foreign:
        assert web.client.post(path, json=FORM, headers={"Origin": origin}).status_code == 403, origin
    for site in ("cross-site", "same-site"):
        assert web.client.post(path, json=FORM, headers={"Sec-Fetch-Site": site}).status_code == 403
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        assert web.client.post(path, data=json.dumps(FORM), content_type=kind).status_code == 415, kind
    assert web.client.get(BASE + "/runs", headers={"Host": "evil.example"}).status_code == 400
    upload = {"file": (io.BytesIO(b"input,answer\na,b\n"), "x.csv")}
    assert web.client.post(BASE + "/datasets", data=upload, headers={"Origin": "null"}).status_code == 403
    assert web.get("/runs")["items"] == []
    assert web.client.post(path, json=FORM, headers={"Origin": "http://localhost"}).status_code == 201


def test_a_wrong_method_is_said_as_json(web: Api) -> None:
    response = web.client.delete(BASE + "/datasets", json={})
    assert response.status_code == 404
    assert response.json
    assert response.json["errors"]
