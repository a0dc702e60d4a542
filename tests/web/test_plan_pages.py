"""A plan on the pages: started beside a training, shown in every state, and turned into its training with one click."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.config import Settings
from app.llm.gateway import Gateway
from app.services import datasets, drive, runs
from app.store.database import Database
from app.store.models import Dataset, Run
from tests.fakes.llm import RuleLLM
from tests.web.forms import FORM, ROWS, errors, post

PLAN = {**FORM, "do": "plan"}
PARTS = ("", "/examples", "/calls", "/bill", "/log", "/settings", "/report.html", "/parts/state", "/parts/head")
PARTS += ("/parts/proposals", "/parts/prices", "/parts/log_lines", "/curves.json", "/samples.csv", "/samples.jsonl")


@pytest.fixture(autouse=True)
def dataset(database: Database) -> None:
    content = f"user_input,ground_truth_output\n{ROWS}\n".encode()
    with database.session() as session:
        datasets.import_file(session, io.BytesIO(content), "mine.csv")


def queue(client: FlaskClient, form: Mapping[str, Any] = PLAN) -> str:
    """Id of the run that the form starts."""
    answer = post(client, "/trainings/new", dict(form))
    assert answer.status_code == 303, html.unescape(answer.text)
    return str(answer.headers["Location"].rpartition("/")[2])


def work(database: Database, run_id: str, llm: Callable[[], Any] | None = None) -> str:
    """Do a worker's work."""
    open_llm = llm or (lambda: Gateway(Settings(), {}))
    return drive.drive(run_id, database=database, open_llm=open_llm, owner="test", lease_s=20)


def read(client: FlaskClient, path: str) -> str:
    """The page as a person reads it, tags left out."""
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


def run_of(database: Database, run_id: str) -> Run:
    with database.session() as session:
        return runs.get(session, run_id)


def test_the_form_tells_without_a_call_what_the_split_can_show(client: FlaskClient) -> None:
    def told(**changes: str) -> str:
        answer = post(client, "/trainings/estimate", {**FORM, **changes}, headers={"HX-Request": "true"})
        return html.unescape(re.sub(r"\s+", " ", answer.text))

    page = told()
    # (1.96 + 0.84) x 0.5 / sqrt(12)
    assert "40 points in the test, 40 points in validation" in page
    assert "supposing half of the answers right" in page
    assert "To show an improvement of 5 points, about 785 test examples are needed; this split has 12" in page
    assert "about 22 test examples" in told(worth_points="30.5")
    assert "29 points in the test" in told(split="40/20/40")
    assert "nothing: no test split" in told(split="60/40/0")


def test_a_plan_is_queued_beside_a_training_and_leaves_no_prompt(
    client: FlaskClient, database: Database, queued: list[str]
) -> None:
    run_id = queue(client)
    run = run_of(database, run_id)
    assert (run.kind, run.status, run.simulated) == ("plan", "queued", True)
    assert queued == [run_id]
    assert run.prompt_id is None
    assert "No prompts yet" in read(client, "/prompts") or "mine" not in read(client, "/prompts")


def test_what_is_wrong_stands_beside_its_field(client: FlaskClient, database: Database) -> None:
    wrong = {**PLAN, "worth_points": "0", "pilot_examples": "1", "stop_above_usd_per_point": "-2"}
    answer = post(client, "/trainings/new", wrong)
    assert answer.status_code == 422
    assert set(errors(answer)) == {"worth_points", "pilot_examples", "stop_above_usd_per_point"}
    with database.session() as session:
        assert runs.list_runs(session) == []


@pytest.mark.parametrize("part", PARTS)
def test_every_page_of_a_plan_is_there_in_every_state(client: FlaskClient, database: Database, part: str) -> None:
    done, failed, cancelled, waiting = (queue(client, {**PLAN, "seed": str(seed)}) for seed in range(4))
    assert work(database, done) == "done"
    with database.session() as session:
        runs.request_cancel(session, cancelled)
        session.get_one(Run, failed).spec = {**run_of(database, failed).spec, "pilot_examples": "many"}
        session.commit()
    assert work(database, failed) == "failed"
    for run_id in (done, failed, cancelled, waiting):
        assert client.get(f"/runs/{run_id}{part}").status_code == 200, (run_id, part)


def test_the_page_says_what_the_pilot_found(client: FlaskClient, database: Database) -> None:
    run_id = queue(client)
    work(database, run_id)
    page = read(client, f"/runs/{run_id}")
    outcome = run_of(database, run_id).outcome
    assert outcome["sentence"].partition(": ")[0] in page
    for text in outcome["advice"]:
        assert text in page
    assert "Flips when asked again" in page
    assert "What the training may take" in page
    assert page.count("simulated") >= 3
    for absent in ("Score by epoch", "Proposals", "sealed test", "Price by epoch", "Epochs"):
        assert absent not in page.partition("What to make of it")[0], absent
    assert "Pilot: 16 of 36 train examples" in page
    assert "First answer" in read(client, f"/runs/{run_id}/examples")
    assert outcome["advice"][0] in read(client, f"/runs/{run_id}/report.html")
    assert "bounds" not in read(client, f"/runs/{run_id}/settings").partition("The whole specification")[0].lower()


def test_an_unknown_price_is_unknown_on_the_page(client: FlaskClient, database: Database) -> None:
    run_id = queue(client)
    work(database, run_id, lambda: RuleLLM(lambda request: "yes", price=None))
    page = read(client, f"/runs/{run_id}").partition("What the training may take")[2]
    assert "unknown price" in page
    assert "Cost unknown" in page


def test_lists_tell_plans_from_trainings(client: FlaskClient, database: Database) -> None:
    plan, training = queue(client), queue(client, FORM)
    work(database, plan)
    everything = read(client, "/runs")
    assert "Plan: mine" in everything
    assert "too little data" in everything
    assert (plan in client.get("/runs?kind=plan").text, training in client.get("/runs?kind=plan").text) == (True, False)
    assert (plan in client.get("/runs?kind=train").text, training in client.get("/runs?kind=train").text) == (
        False,
        True,
    )
    assert client.get("/runs?kind=other").status_code == 422
    assert "too little data" in read(client, "/")
    assert "Plan: mine" not in read(client, "/compare")
    assert client.get(f"/compare?a={plan}&b={training}").status_code == 422


def test_one_click_starts_the_training_and_a_second_one_does_not_start_another(
    client: FlaskClient, database: Database, queued: list[str]
) -> None:
    plan = queue(client, {**PLAN, "worth_points": "7"})
    work(database, plan)
    head = client.get(f"/runs/{plan}/parts/head").text
    once = re.search(r'name="once" value="([0-9a-f]{10})"', head)
    assert once is not None
    first, second = (post(client, f"/trainings/from/{plan}", {"once": once[1]}) for _ in range(2))
    assert (first.status_code, first.headers["Location"]) == (303, second.headers["Location"])
    started = run_of(database, first.headers["Location"].rpartition("/")[2])
    assert (started.kind, started.cloned_from) == ("train", plan)
    planned = run_of(database, plan).spec
    assert {**started.spec, "prompt": ""} == {key: value for key, value in planned.items() if key != "bounds"}
    assert queued[-1] == started.id


def test_the_training_takes_the_pilots_answers_from_the_cache(client: FlaskClient, database: Database) -> None:
    plan = queue(client)
    work(database, plan)
    training = post(client, f"/trainings/from/{plan}").headers["Location"].rpartition("/")[2]
    work(database, training)
    with database.session() as session:
        assert runs.totals(session, training).cached_calls >= 16


def test_a_plan_knows_how_often_the_test_examples_were_read(client: FlaskClient, database: Database) -> None:
    work(database, queue(client, {**FORM, "dataset": "sample:support_intents.csv", "system_prompt": "Classify."}))
    first, second = (queue(client, {**PLAN, "dataset": name}) for name in ("mine", "support_intents"))
    assert [run_of(database, run_id).spec["bounds"]["comparison"] for run_id in (first, second)] == [1, 2]
    work(database, second)
    assert "on the test 0.025" in read(client, f"/runs/{second}")


def test_a_training_that_cannot_start_any_more_shows_the_form_with_the_reason(
    client: FlaskClient, database: Database
) -> None:
    plan = queue(client)
    with database.session() as session:
        datasets.delete(session, datasets.get(session, "mine"))
    answer = post(client, f"/trainings/from/{plan}")
    assert answer.status_code == 422
    assert "dataset" in errors(answer)
    assert post(client, "/trainings/from/nothing").status_code == 404


def test_a_dear_training_asks_first(client: FlaskClient, database: Database) -> None:
    plan = queue(client)
    with database.session() as session:
        dataset = session.query(Dataset).one()
        long = {"input_chars": {**dataset.statistics["input_chars"], "mean": 1e9}}
        dataset.statistics = {**dataset.statistics, **long}
        session.commit()
    answer = post(client, f"/trainings/from/{plan}")
    assert answer.status_code == 422
    assert 'name="confirmed"' in answer.text
    assert "it may cost up to $" in html.unescape(answer.text)


def test_the_settings_come_back_with_the_recommended_split_when_it_is_chosen(
    client: FlaskClient, database: Database
) -> None:
    plan = queue(client, {**PLAN, "worth_points": "31"})
    work(database, plan)
    split = run_of(database, plan).outcome["split"]
    assert split is not None
    chosen = "/".join(map(str, split))
    head = html.unescape(client.get(f"/runs/{plan}").text)
    (address,) = re.findall(r'href="(/trainings/new\?from=[^"]+split=[^"]+)"', head)
    assert f'name="split" value="{chosen}"' in html.unescape(client.get(address).text)
    assert 'name="split" value="60/20/20"' in client.get(f"/trainings/new?from={plan}").text
    assert 'name="worth_points" value="31"' in client.get(f"/trainings/new?from={plan}").text
    assert client.get(f"/trainings/new?from={plan}&split=nonsense").status_code == 200


def test_each_epoch_says_what_it_cost_and_why_the_search_stopped(client: FlaskClient, database: Database) -> None:
    run_id = queue(client, {**FORM, "dataset": "sample:support_intents.csv", "stop_above_usd_per_point": "1e-9"})
    work(database, run_id)
    page, outcome = read(client, f"/runs/{run_id}"), run_of(database, run_id).outcome
    assert outcome["stopped_by"] == "not_worth"
    why = outcome["stopped_why"]
    assert why[0].upper() + why[1:] in page
    assert "Price by epoch simulated" in page
    assert "stops above < $0.0000001 a point" in page or "stops above $" in page
    prices = read(client, f"/runs/{run_id}/parts/prices")
    assert "Epoch 1" in prices
    assert "Epoch 2" in prices


def test_a_run_of_the_first_releases_has_no_prices(client: FlaskClient, seeded: object) -> None:
    assert "Price by epoch" not in read(client, "/runs/r0finished")
    assert client.get("/trainings/new?from=r0finished").status_code == 200
