from __future__ import annotations

import socket
from pathlib import Path

import pytest

from app import wiring
from app.services import runs
from tests.api.conftest import BASE, FORM, Api


def test_datasets_go_in_and_come_out(web: Api) -> None:
    assert [row["name"] for row in web.get("/datasets")["items"]] == ["tickets"]
    made = web.upload(b"text;kind\na;b\nc;d\n", "odd.csv", name="odd", input_column="text", answer_column="kind")
    assert web.get(f"/datasets/{made['id']}") == web.get("/datasets/odd") == made
    first = web.get("/datasets/tickets/examples?limit=2")
    assert [row["row"] for row in first["items"]] == [1, 2]
    second = web.get(f"/datasets/tickets/examples?limit=2&after={first['next']}")
    assert [row["row"] for row in second["items"]] == [3, 4]
    assert web.get("/datasets/tickets/examples?limit=1000")["next"] is None


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
    again = web.post("/trainings", {**form, "cache": "off"}, 201)
    web.drive(again["id"])
    assert web.get(f"/runs/{again['id']}/result") == {**result, "run": again["id"]}


def test_locked_texts_are_a_list_and_a_shorter_prompt_is_a_part_of_the_result(web: Api) -> None:
    asked = FORM | {"epochs": 1, "locked": ["Answer with the label."], "shorten": "offer", "shorten_margin": 0.4}
    asked |= {"system_prompt": "Take a deep breath. Classify the customer's message."}
    run = web.post("/trainings", asked, 201)
    web.drive(run["id"])
    shown = web.get(f"/runs/{run['id']}")
    assert (shown["spec"]["locked"], shown["spec"]["shorten"]) == (["Answer with the label."], "offer")
    shorter = web.get(f"/runs/{run['id']}/result")["shorter"]
    assert shorter["sentence"] == shown["outcome"]["shortening"]["sentence"]
    assert shorter["tokens_before"] > (shorter["tokens_after"] or 0)
    form = web.get(f"/runs/{run['id']}/form")
    assert (form["locked"], form["max_prompt_tokens"], form["max_prompt_chars"]) == (
        "Answer with the label.",
        3000,
        None,
    )
    assert "locked" in web.errors(web.post("/trainings", asked | {"locked": ["Not there."]}, 422))


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


def test_what_becomes_of_parameters_is_in_the_answers(web: Api) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        base = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        form = {**FORM, "primary_model": "openai/gpt-5-mini", "api_base": base, "temperature": 0.5}
        answers = [web.post("/trainings/estimate", form), web.post("/trainings", {**form, "skip_check": True}, 201)]
    for found in answers:
        (one,) = found["adjustments"]
        assert (one["role"], one["param"], one["original"], one["adjusted"]) == ("primary", "temperature", 0.5, None)
    assert web.post("/trainings/estimate", FORM)["adjustments"] == []
