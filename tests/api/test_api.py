from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import api, wiring
from app.config import ROOT, Settings
from app.llm.gateway import Gateway
from app.services import drive, runs
from app.store.database import Database
from app.web import create_app
from app.web.context import Backend

BASE = "/api/v1"
FORM = {
    "dataset": "tickets",
    "system_prompt": "Classify the customer's message.",
    "output_prompt": "Answer with the label.",
    "primary_model": "simulated/primary",
    "optimizer_model": "simulated/optimizer",
    "epochs": 2,
}


class Api:
    """A client of the API of an application in a data folder of its own. hints: the runs that workers were told of."""

    def __init__(self, folder: Path) -> None:
        self.hints: list[str] = []
        self.settings = Settings(data_dir=folder / "data")
        self.settings.data_dir.mkdir()
        self.database = Database(self.settings.database_url)
        self.database.upgrade()
        self.app: Flask = api.attach(create_app(Backend(self.settings, self.database.engine, self._hint)))
        self.client: FlaskClient = self.app.test_client()

    def _hint(self, run_id: str) -> bool:
        self.hints.append(run_id)
        return True

    def get(self, path: str, status: int = 200) -> Any:
        return self._read(self.client.get(BASE + path), status)

    def post(self, path: str, body: Any = None, status: int = 200, **more: Any) -> Any:
        return self._read(self.client.post(BASE + path, json={} if body is None else body, **more), status)

    def upload(self, content: bytes, filename: str = "tickets.csv", status: int = 201, **fields: str) -> Any:
        data = {"file": (io.BytesIO(content), filename), **fields}
        return self._read(self.client.post(BASE + "/datasets", data=data), status)

    def errors(self, answer: Any) -> dict[str, str]:
        return {error["field"]: error["message"] for error in answer["errors"]}

    def _read(self, response: TestResponse, status: int) -> Any:
        assert response.status_code == status, response.text
        assert response.mimetype == "application/json"
        return json.loads(response.text)

    def drive(self, run_id: str) -> None:
        """Do a worker's work."""
        drive.drive(
            run_id, database=self.database, open_llm=lambda: Gateway(self.settings, {}), owner="test", lease_s=20
        )


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Api]:
    """The API with one dataset, tickets."""
    it = Api(tmp_path)
    it.upload((ROOT / "data/samples/support_intents.csv").read_bytes())
    yield it
    it.database.close()


def test_datasets_go_in_and_come_out(web: Api) -> None:
    assert [row["name"] for row in web.get("/datasets")["items"]] == ["tickets"]
    made = web.upload(b"text;kind\na;b\nc;d\n", "odd.csv", name="odd", input_column="text", answer_column="kind")
    assert web.get(f"/datasets/{made['id']}") == web.get("/datasets/odd") == made
    first = web.get("/datasets/tickets/examples?limit=2")
    assert [row["row"] for row in first["items"]] == [1, 2]
    second = web.get(f"/datasets/tickets/examples?limit=2&after={first['next']}")
    assert [row["row"] for row in second["items"]] == [3, 4]
    assert web.get("/datasets/tickets/examples?limit=1000")["next"] is None


def test_a_bad_upload_is_refused_by_field(web: Api) -> None:
    assert "same name" in web.errors(web.upload(b"a,a\n1,2\n", status=422))["file"]
    assert "columns x, y" in " ".join(web.errors(web.upload(b"x,y\n1,2\n", status=422)).values())
    nothing = web.client.post(BASE + "/datasets", data={"name": "x"}, content_type="multipart/form-data")
    assert "file" in web.errors(web._read(nothing, 422))
    assert "other content" in web.errors(web.upload(b"input,answer\n1,2\n", status=409))[""]


def test_prompts_have_versions_and_labels(web: Api) -> None:
    path = "/prompts/team/support"
    first = web.post(path + "/versions", {"system_prompt": "One.", "tags": ["a"]}, 201)
    assert (first["version"], first["author"]) == (1, "person")
    assert web.post(path + "/versions", {"system_prompt": "Two.", "output_prompt": "Label."}, 201)["version"] == 2
    assert web.post(path + "/versions", {"system_prompt": "Two.", "output_prompt": "Label."}, 201)["version"] == 2
    put = web.client.put(f"{BASE}{path}/labels/production", json={"version": 1})
    assert put.json == {"prompt": "team/support", "label": "production", "version": 1}
    assert web.get(path + "/versions/production")["system_prompt"] == "One."
    assert web.get(path)["labels"] == {"production": 1}
    assert web.client.delete(f"{BASE}{path}/labels/production", json={}).status_code == 204
    web.get(path + "/versions/production", 404)
    assert [p["name"] for p in web.get("/prompts?search=support")["items"]] == ["team/support"]


def test_a_chat_prompt_keeps_its_kind(web: Api) -> None:
    turns = [{"role": "system", "content": "Hi {{name}}"}, {"role": "user", "content": "x"}]
    made = web.post("/prompts/chat/versions", {"kind": "chat", "messages": turns}, 201)
    assert made["messages"] == turns
    assert "kind" in web.errors(web.post("/prompts/chat/versions", {"kind": "pair", "system_prompt": "x"}, 422))


def test_bad_prompts_are_refused_by_field(web: Api) -> None:
    assert "colour" in web.errors(web.post("/prompts/x/versions", {"colour": "red", "system_prompt": "a"}, 422))
    assert "system_prompt" in web.errors(web.post("/prompts/x/versions", {"system_prompt": 5}, 422))
    assert web.errors(web.post("/prompts/x/versions", {}, 422))
    web.get("/prompts/x", 404)


def test_a_training_is_estimated_started_and_read(web: Api) -> None:
    estimate = web.post("/trainings/estimate", FORM)
    assert 0 < estimate["calls_low"] <= estimate["calls_high"]
    assert web.get("/runs")["items"] == []
    run = web.post("/trainings", {**FORM, "name": "First"}, 201)
    assert (run["name"], run["status"], run["hinted"], run["simulated"]) == ("First", "queued", True, True)
    assert web.hints == [run["id"]]
    web.drive(run["id"])
    result = web.get(f"/runs/{run['id']}/result")
    assert result["status"] == "done"
    assert result["delta"] == pytest.approx(result["final"] - result["baseline"])
    shown = web.get(f"/runs/{run['id']}")
    assert 0 < shown["progress"]["fraction"] <= 1
    assert shown["spent"]["calls"] == result["calls"]
    form = web.get(f"/runs/{run['id']}/form")
    again = web.post("/trainings", form, 201)
    web.drive(again["id"])
    assert web.get(f"/runs/{again['id']}/result") == {**result, "run": again["id"]}


def test_a_run_is_followed_page_by_page(web: Api) -> None:
    run_id = web.post("/trainings", {**FORM, "epochs": 1}, 201)["id"]
    web.drive(run_id)
    for what in ("events", "samples"):
        whole = web.get(f"/runs/{run_id}/{what}?limit=1000")
        pages, after = [], 0
        while after is not None:
            page = web.get(f"/runs/{run_id}/{what}?limit=7&after={after}")
            pages += page["items"]
            after = page["next"]
        assert pages == whole["items"]
        assert whole["next"] is None
    names = {event["name"] for event in web.get(f"/runs/{run_id}/events?limit=1000")["items"]}
    assert {"plan", "baseline", "test", "verdict"} <= names
    tested = web.get(f"/runs/{run_id}/samples?split=test&limit=1000")["items"]
    assert {sample["split"] for sample in tested} == {"test"}


def test_runs_are_paged_and_filtered(web: Api) -> None:
    ids = [web.post("/trainings", {**FORM, "name": f"Run {n}"}, 201)["id"] for n in range(3)]
    first = web.get("/runs?limit=2")
    rest = web.get(f"/runs?limit=2&after={first['next']}")
    assert {run["id"] for run in first["items"] + rest["items"]} == set(ids)
    assert [run["name"] for run in web.get("/runs?search=Run+1")["items"]] == ["Run 1"]
    assert web.get("/runs?status=done")["items"] == []


def test_a_run_is_paused_resumed_and_cancelled(web: Api) -> None:
    run_id = web.post("/trainings", FORM, 201)["id"]
    assert web.post(f"/runs/{run_id}/pause")["status"] == "paused"
    assert web.post(f"/runs/{run_id}/resume")["hinted"] is True
    assert web.hints == [run_id, run_id]
    assert web.post(f"/runs/{run_id}/cancel")["status"] == "cancelled"
    assert "cannot be resumed" in web.errors(web.post(f"/runs/{run_id}/resume", status=409))[""]
    with web.database.session() as session:
        assert runs.get(session, run_id).status == "cancelled"


@pytest.mark.parametrize(
    ("kind", "mimetype"), [("csv", "text/csv"), ("jsonl", "application/x-ndjson"), ("html", "text/html")]
)
def test_a_run_is_taken_away_as_a_file(web: Api, kind: str, mimetype: str) -> None:
    run_id = web.post("/trainings", {**FORM, "epochs": 1}, 201)["id"]
    web.drive(run_id)
    response = web.client.get(f"{BASE}/runs/{run_id}/export?format={kind}")
    assert response.status_code == 200
    assert response.mimetype == mimetype
    assert response.headers["Content-Disposition"] == f'attachment; filename="{run_id}.{kind}"'
    assert len(response.text) > 1000
    assert "simulated" in response.text.lower()
    assert "format" in web.errors(web.get(f"/runs/{run_id}/export?format=exe", 422))


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"epochs": 0, "batch_size": "x"}, {"epochs", "batch_size"}),
        ({"epohcs": 3}, {"epohcs"}),
        ({"dataset": ""}, {"dataset"}),
        ({"scorer": ["vibes"]}, {"scorer"}),
        ({"primary_model": "nobody/x"}, {"primary_model"}),
        ({"name": 5}, {"name"}),
        ({"system_prompt": ["a"]}, {"system_prompt"}),
        ({"budget_usd": "NaN"}, {"budget_usd"}),
    ],
    ids=str,
)
def test_a_wrong_training_is_refused_by_field(web: Api, changes: dict[str, Any], fields: set[str]) -> None:
    assert set(web.errors(web.post("/trainings", {**FORM, **changes}, 422))) == fields
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


def test_the_served_application_has_pages_and_api(tmp_path: Path) -> None:
    import wsgi

    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("WHETSTONE_DATA_DIR", str(tmp_path))
        wiring.settings.cache_clear()
        wiring.database.cache_clear()
        try:
            wiring.database().upgrade()
            client = wsgi.make_app().test_client()
            assert client.get("/healthz").status_code == 200
            assert client.get(BASE + "/runs").json == {"items": [], "next": None}
            wiring.database().close()
        finally:
            wiring.settings.cache_clear()
            wiring.database.cache_clear()
