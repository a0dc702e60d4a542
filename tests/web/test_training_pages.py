"""A new training in a browser without scripts: defaults, estimate, every wrong setting beside its field, start, clone."""

from __future__ import annotations

import html
import io
import json
import re
import socket
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.services import datasets, menus, prompts, runs
from app.store.database import Database
from app.store.models import Dataset, Prompt, Run
from tests.web.conftest import World
from tests.web.forms import FORM, ROWS, mark, post


@pytest.fixture
def dataset(database: Database) -> Dataset:
    content = f"user_input,ground_truth_output\n{ROWS}\n".encode()
    with database.session() as session:
        return datasets.import_file(session, io.BytesIO(content), "mine.csv")


@pytest.fixture
def prompt(database: Database) -> Prompt:
    with database.session() as session:
        prompt = prompts.create(session, "library one", system_prompt="First.", output_prompt="Out.")
        prompts.save_version(session, prompt, system_prompt="Second.")
        prompts.set_label(session, prompt, "production", prompt.versions[0])
        prompts.create(session, "a chat", kind="chat", messages=[{"role": "user", "content": "x"}])
        return prompt


def only_run(database: Database) -> Run:
    with database.session() as session:
        (run,) = runs.list_runs(session)
        return run


def estimate(client: FlaskClient, form: dict[str, Any]) -> str:
    return html.unescape(post(client, "/trainings/estimate", form, headers={"HX-Request": "true"}).text)


def test_the_form_has_defaults_and_says_what_to_choose(client: FlaskClient) -> None:
    page = client.get("/trainings/new").text
    assert 'name="epochs" value="10"' in page
    assert 'value="simulated/primary"' in page
    assert '<option value="sample:support_intents.csv">Support intents</option>' in page
    assert "Choose a dataset and a prompt" in page


def test_every_field_of_a_training_is_in_the_form(client: FlaskClient, prompt: Prompt) -> None:
    from app.services.training import TrainingForm

    page = client.get("/trainings/new").text
    names = set(re.findall(r'name="([\w-]+)"', page))
    assert set(TrainingForm.model_fields) - {"scorer"} <= names


def test_every_scorer_and_strategy_is_explained() -> None:
    assert all(one.summary and one.title for one in [*menus.scorer_menu(), *menus.strategy_menu()])


def test_a_training_starts_and_is_handed_to_a_worker(client: FlaskClient, world: World, dataset: Dataset) -> None:
    response = post(client, "/trainings/new", FORM)
    run = only_run(world.database)
    assert response.status_code == 303
    assert response.headers["Location"] == f"/runs/{run.id}"
    assert world.queued == [run.id]
    assert run.spec["system_prompt"] == "Answer yes or no.\nNothing else."
    assert run.spec["epochs"] == 3
    assert run.simulated


def test_a_form_that_is_sent_twice_starts_one_run(client: FlaskClient, world: World, dataset: Dataset) -> None:
    page = client.get("/trainings/new").text
    (once,) = re.findall(r'name="once" value="([0-9a-f]{10})"', page)
    first, second = (post(client, "/trainings/new", FORM | {"once": once}) for _ in range(2))
    assert first.location == second.location == f"/runs/{once}"
    assert only_run(world.database).id == once
    other = post(client, "/trainings/new", FORM | {"once": once, "epochs": "4"})
    assert other.location not in ("", first.location)


@pytest.mark.parametrize("once", ["", "x" * 10, "0" * 300, "../../etc"])
def test_a_strange_mark_is_replaced(client: FlaskClient, world: World, dataset: Dataset, once: str) -> None:
    response = post(client, "/trainings/new", FORM | {"once": once})
    assert response.status_code == 303
    assert re.fullmatch(r"/runs/[0-9a-f]{10}", response.location)


def test_the_estimate_is_told_before_the_start(client: FlaskClient, database: Database, dataset: Dataset) -> None:
    told = estimate(client, FORM)
    assert "Calls" in told
    assert "36 train, 12 validation, 12 test" in told
    assert "only a large improvement can be shown" in told
    page = post(client, "/trainings/new", {**FORM, "do": "estimate"})
    assert page.status_code == 200
    assert "36 train, 12 validation, 12 test" in page.text
    with database.session() as session:
        assert runs.list_runs(session) == []


def test_the_estimate_says_what_is_missing(client: FlaskClient) -> None:
    told = estimate(client, {"primary_model": "nonsense/model"})
    assert "It cannot start yet" in told
    assert '<a href="#dataset">dataset</a>' in told


def test_a_sample_is_imported_by_being_used(client: FlaskClient, database: Database) -> None:
    chosen = post(
        client,
        "/trainings/new",
        {**FORM, "system_prompt": "", "dataset": "sample:order_extraction.csv", "do": "choose-dataset"},
    )
    assert chosen.status_code == 200
    assert "Extract the order as JSON.</textarea>" in chosen.text
    assert '<option value="json_match" selected>' in chosen.text
    post(client, "/trainings/new", {**FORM, "dataset": "sample:order_extraction.csv"})
    assert only_run(database).spec["dataset"]["name"] == "order_extraction"


def test_a_library_prompt_is_loaded_and_trained(
    client: FlaskClient, database: Database, dataset: Dataset, prompt: Prompt
) -> None:
    page = client.get("/trainings/new?prompt=library+one%40production").text
    assert "First.</textarea>" in page
    assert "a chat" not in page
    loaded = post(client, "/trainings/new", {**FORM, "prompt": "library one", "do": "load-prompt"}).text
    assert "Second.</textarea>" in loaded
    post(client, "/trainings/new", {**FORM, "prompt": "library one@1", "system_prompt": ""})
    run = only_run(database)
    assert (run.spec["prompt"], run.spec["system_prompt"], run.spec["output_prompt"]) == (
        "library one",
        "First.",
        "Out.",
    )
    assert run.prompt_id == prompt.id


def test_a_dataset_can_be_named_in_the_address(client: FlaskClient, dataset: Dataset) -> None:
    assert '<option value="mine" selected>' in client.get("/trainings/new?dataset=mine").text
    assert "gone (not here)" in client.get("/trainings/new?dataset=gone").text


def test_scorers_are_chosen_combined_and_removed(client: FlaskClient, database: Database, dataset: Dataset) -> None:
    chosen = post(client, "/trainings/new", {**FORM, "scorer-0": "numeric", "do": "choose-scorer"}).text
    assert 'name="scorer-0-tolerance" value="0"' in chosen
    two = {**FORM, "scorer-1": "numeric", "scorer-1-of": "numeric", "scorer-1-tolerance": "0.5"}
    two |= {"scorer-0-weight": "1", "scorer-1-weight": "3"}
    assert 'name="scorer-2"' in post(client, "/trainings/new", {**two, "do": "add"}).text
    removed = post(client, "/trainings/new", {**two, "do": "remove-0"}).text
    assert 'value="0.5"' in removed
    assert 'name="scorer-1"' not in removed
    for odd in ("remove-9", "remove-x", "remove", "magic"):
        assert post(client, "/trainings/new", {**two, "do": odd}).status_code == 200
    post(client, "/trainings/new", two)
    exact, numeric = only_run(database).spec["scorers"]
    assert (exact["name"], exact["weight"], exact["strip"], exact["casefold"]) == ("exact_match", 1.0, True, False)
    assert (numeric["name"], numeric["weight"], numeric["tolerance"]) == ("numeric", 3.0, 0.5)


def test_a_setting_that_is_on_by_default_can_be_switched_off(
    client: FlaskClient, database: Database, dataset: Dataset
) -> None:
    post(client, "/trainings/new", {key: value for key, value in FORM.items() if key != "scorer-0-strip"})
    assert only_run(database).spec["scorers"][0]["strip"] is False


def test_the_instructions_are_loaded_to_be_changed(client: FlaskClient, dataset: Dataset) -> None:
    page = post(client, "/trainings/new", {**FORM, "strategy": "full_rewrite", "do": "load-instructions"}).text
    assert "{{failures}}" in page
    assert 'id="optimizer-panel"' in page


def test_an_expensive_training_asks_first(client: FlaskClient, world: World, dataset: Dataset) -> None:
    form = {**FORM, "primary_model": "openai/gpt-4.1", "optimizer_model": "openai/gpt-4.1", "api_base": ""}
    form |= {"epochs": "1000", "system_prompt": "long " * 2000}
    told = estimate(client, form)
    assert "OPENAI_API_KEY" in told or "It may cost up to" in told


def test_a_run_is_cloned(client: FlaskClient, database: Database, dataset: Dataset, prompt: Prompt) -> None:
    changes = {"epochs": "7", "prompt": "library one", "min_improvement": "0.02", "budget_calls": "5000", "seed": "11"}
    changes |= {"scorer-0": "regex", "scorer-0-of": "regex", "scorer-0-pattern": "(yes|no)", "name": "the first"}
    post(client, "/trainings/new", {**FORM, **changes})
    first = only_run(database)
    page = client.get(f"/trainings/new?from={first.id}").text
    for shown in ('name="epochs" value="7"', 'value="0.02"', 'value="5000"', 'value="11"', 'value="(yes|no)"'):
        assert shown in page
    assert "Nothing else.</textarea>" in page
    fields = dict(re.findall(r'name="([\w-]+)" value="([^"]*)"', page))
    assert fields["from"] == first.id
    post(client, "/trainings/new", {**FORM, **changes, "from": first.id})
    with database.session() as session:
        second = next(run for run in runs.list_runs(session) if run.id != first.id)
        assert second.cloned_from == first.id
        assert json.dumps(second.spec) == json.dumps(first.spec)


def test_a_clone_of_what_is_not_there_is_not_found(client: FlaskClient) -> None:
    assert client.get("/trainings/new?from=nothing").status_code == 404


def test_a_clone_of_settings_that_cannot_be_read_is_no_broken_page(client: FlaskClient, database: Database) -> None:
    with database.session() as session:
        session.add(Run(id="old", kind="train", name="old", status="done", spec={"epochs": 3}, simulated=True))
        session.commit()
    response = client.get("/trainings/new?from=old")
    assert response.status_code == 409
    assert "cannot be copied" in response.text


def test_a_clone_whose_source_was_deleted_still_starts(
    client: FlaskClient, database: Database, dataset: Dataset
) -> None:
    post(client, "/trainings/new", {**FORM, "from": "gone"})
    assert only_run(database).cloned_from is None


def test_an_absent_broker_is_no_error(client: FlaskClient, database: Database, dataset: Dataset, app: Any) -> None:
    from dataclasses import replace

    from app.web import context

    context.attach(app, replace(app.extensions["whetstone"], enqueue=lambda _: False))
    response = client.post("/trainings/new", data={**FORM, "csrf_token": mark(client)})
    assert response.status_code == 303
    assert "Redis does not answer" in client.get(response.headers["Location"]).text


@pytest.mark.parametrize("path", ["/trainings/new", "/trainings/estimate"])
def test_nothing_starts_without_the_csrf_mark(client: FlaskClient, dataset: Dataset, path: str) -> None:
    assert client.post(path, data=FORM).status_code == 400


def test_what_a_model_does_not_take_is_said_while_the_form_is_filled_in_and_kept(
    client: FlaskClient, database: Database, dataset: Dataset
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        base = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        model = {"optimizer_model": "openai/gpt-5-mini", "optimizer_api_base": base, "optimizer_temperature": "0.4"}
        form = {**FORM, "dataset": dataset.name, **model}
        shown = estimate(client, form)
        post(client, "/trainings/new", {**form, "do": "start", "confirmed": "1", "skip_check": "1"})
    assert "Optimizer model: temperature 0.4 is not sent: reasoning models choose it themselves" in shown
    run = only_run(database)
    page = client.get(f"/runs/{run.id}/settings").text
    assert "Sent otherwise than asked" in page
    assert "reasoning models choose it themselves" in page
    assert 'name="optimizer_temperature" value="0.4"' in client.get(f"/trainings/new?from={run.id}").text
