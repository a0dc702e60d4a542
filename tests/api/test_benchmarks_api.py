"""Benchmarks, rankings and review prompts through the API."""

from __future__ import annotations

import csv
import io
import threading
from typing import Any

from tests.api.conftest import Api

FORM = {"models": ["config:sharp", "config:weak"], "reviewer_model": "simulated/judge", "runs": 2}
FORM |= {"jsonl": '{"prompt": "Plan a picnic near a river."}\n{"prompt": "Describe a marketplace in spring."}'}


def done(web: Api, **changes: Any) -> dict[str, Any]:
    for name, skill in (("sharp", 0.95), ("weak", 0.1)):
        params = {"skill": skill, "latency_s": 0.001}
        web.post("/models", {"name": name, "model": "simulated/writer", "params": params}, 201)
    run = web.post("/benchmarks", {**FORM, "name": "Writers", **changes}, 201)
    worker = threading.Thread(target=web.drive, args=(run["id"],))
    worker.start()
    worker.join()
    return dict(run)


def test_a_benchmark_is_estimated_started_ranked_and_recommended(web: Api) -> None:
    run = done(web)
    assert (run["kind"], run["name"], run["hinted"]) == ("benchmark", "Writers", True)
    at = f"/benchmarks/{run['id']}"
    estimate = web.post("/benchmarks/estimate", FORM)
    assert (estimate["prompts"], estimate["calls_low"], estimate["calls_high"]) == (2, 12, 16)
    told = web.get(f"/runs/{run['id']}/result")
    assert (told["verdict"], told["runs"]) == ("reviewed", {"done": 2, "asked": 2})
    before = web.get(f"{at}?quality=100&speed=0&cost=0")
    assert before["recommendation"]["config"] == "sharp"
    assert before["agreement"]["rankings"] == 0
    worth = before["worth_ranking"]
    ballot = {"prompt": worth["prompt"], "repeat": worth["repeat"], "ranker": "ada", "places": {"weak": 1, "sharp": 2}}
    saved = web.post(f"{at}/rankings", ballot, 201)
    assert (saved["revision"], saved["with_reviewer"]["tau"]) == (1, -1)
    assert web.post(f"{at}/rankings", ballot, 409)["type"] == "conflict"
    assert web.post(f"{at}/rankings", {**ballot, "revision": 1}, 201)["revision"] == 2
    assert [one["ranker"] for one in web.get(f"{at}/rankings")["items"]] == ["ada"]
    assert web.get(at)["agreement"]["with_reviewer"] == {"mean_tau": -1, "n": 1}
    answers = web.get(f"{at}/prompts/p1")["answers"]
    assert len(answers) == 4
    assert web.post(f"{at}/marks", {"key": answers[0]["key"], "verdict": "unacceptable"})["verdict"] == "unacceptable"
    assert sum(one["unacceptable"] for one in web.get(at)["configs"]) == 1
    written = web.client.get(f"/api/v1{at}/results.csv").text
    assert len(list(csv.DictReader(io.StringIO(written)))) == 8
    assert {one["config"] for one in web.get("/benchmarks/configs")["items"]} == {"sharp", "weak"}
    where = f"prompt={worth['prompt']}&repeat={worth['repeat']}&ranker=ada"
    assert web.client.delete(f"/api/v1{at}/rankings?{where}").status_code == 204
    assert web.get(f"{at}/rankings")["items"] == []


def test_the_form_of_a_benchmark_starts_the_same_again_and_a_review_is_another_run(web: Api) -> None:
    run = done(web)
    form = web.get(f"/benchmarks/{run['id']}/form")
    assert web.post("/benchmarks", form, 201)["id"] != run["id"]
    again = web.post(f"/benchmarks/{run['id']}/review", {"review_prompt": "review/instructions"}, 201)
    assert again["cloned_from"] == run["id"]
    assert web.get(f"/runs/{run['id']}/form", 409)["type"] == "conflict"
    assert web.get("/runs?kind=benchmark")["items"][0]["id"] == again["id"]


def test_what_is_wrong_is_named_by_its_field(web: Api) -> None:
    errors = web.errors(web.post("/benchmarks", {"models": ["nobody"], "runs": 11, "jsonl": "{"}, 422))
    assert {"models", "runs", "jsonl"} <= set(errors)
    run = done(web)
    at = f"/benchmarks/{run['id']}"
    wrong = {"prompt": "p1", "ranker": " ", "places": {"sharp": 1}}
    assert set(web.errors(web.post(f"{at}/rankings", wrong, 422))) == {"ranker", "places"}
    assert set(web.errors(web.post(f"{at}/rankings", {"prompt": "p1", "ranker": "a"}, 422))) == {"places"}
    web.post(f"{at}/rankings", {"prompt": "p99", "ranker": "a", "places": {"sharp": 1, "weak": 2}}, 404)
    web.get("/benchmarks/nothing", 404)
    web.get(f"{at}?quality=0&speed=0&cost=0", 422)


def test_review_prompts_are_checked_saved_and_deleted(web: Api) -> None:
    text = {"template": "{{original_prompt}} {{num_configs}} {{all_responses}}", "settings": '{"scale": [1, 5]}'}
    assert web.post("/review-prompts/check", text)["usable"] is True
    wrong = web.post("/review-prompts/check", {"template": "x"})
    assert (wrong["usable"], wrong["errors"][0]["field"]) == (False, "template")
    saved = web.post("/review-prompts", {"name": "review/mine", **text}, 201)
    assert (saved["version"], saved["scale"], saved["shipped"]) == (1, [1, 5], False)
    assert web.post("/review-prompts/duplicate", {"name": "review/mine"}, 201)["name"] == "review/mine copy"
    assert len(web.get("/review-prompts?search=mine")["items"]) == 2
    done(web, review_prompt="review/mine")
    assert web.get("/review-prompts/review/mine")["runs"] == 1
    assert web.client.delete("/api/v1/review-prompts/review/mine").status_code == 409
    assert web.client.delete("/api/v1/review-prompts/review/mine copy").status_code == 204
    web.post("/review-prompts", {"name": "review/bad", "template": "x"}, 422)


def test_a_review_prompt_in_use_stays_at_every_door(web: Api) -> None:
    template = "{{original_prompt}} {{num_configs}} {{all_responses}}"
    web.post("/review-prompts", {"name": "review/mine", "template": template}, 201)
    done(web, review_prompt="review/mine")
    for path in ("/prompts/review/mine", "/review-prompts/review/mine"):
        assert "1 benchmark uses" in web.errors(web.read(web.client.delete(f"/api/v1{path}"), 409))[""]
