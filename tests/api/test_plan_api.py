"""A plan through the API, from the same fields as its training."""

from __future__ import annotations

from tests.api.conftest import FORM, Api


def test_a_plan_is_started_read_and_followed_by_its_training(web: Api) -> None:
    run = web.post("/trainings/plan", {**FORM, "name": "Look first", "worth_points": 20}, 201)
    assert (run["kind"], run["name"], run["status"], run["hinted"]) == ("plan", "Look first", "queued", True)
    assert web.get(f"/runs/{run['id']}/result")["verdict"] is None
    web.drive(run["id"])
    result = web.get(f"/runs/{run['id']}/result")
    assert (result["status"], result["verdict"]) == ("done", "resplit")
    assert sum(result["split"]) == 100
    assert result["calls"] == 32
    assert [one["id"] for one in web.get("/runs?kind=plan")["items"]] == [run["id"]]
    assert web.get("/runs?kind=train")["items"] == []
    form = web.get(f"/runs/{run['id']}/form")
    assert form["worth_points"] == 20
    training = web.post("/trainings", {**form, "split": "/".join(map(str, result["split"]))}, 201)
    web.drive(training["id"])
    assert web.get(f"/runs/{training['id']}")["spent"]["cached_calls"] > 0


def test_what_is_wrong_is_named_by_its_field(web: Api) -> None:
    errors = web.errors(web.post("/trainings/plan", {"dataset": "nowhere", "pilot_examples": 10_000}, 422))
    assert {"dataset", "pilot_examples"} <= set(errors)


def test_the_estimate_says_what_the_splits_can_show(web: Api) -> None:
    estimate = web.post("/trainings/estimate", {**FORM, "split": "50/20/30"})
    assert estimate["detectable_test"] < estimate["detectable_validation"] < 1
    assert web.post("/trainings/estimate", {**FORM, "split": "60/40/0"})["detectable_test"] is None
