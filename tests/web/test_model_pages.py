"""The pages of model configs in a browser without scripts: list, form with what would be sent, revisions, files."""

from __future__ import annotations

import html
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.config import Settings
from app.llm.gateway import Gateway
from app.services import access, datasets, models, runs
from app.store.database import Database
from app.store.models import ModelConfig
from app.web import context
from tests.fakes.faults import Fault
from tests.fakes.openai_server import OpenAIServer
from tests.web.forms import FORM, ROWS, errors, post

SAID: dict[str, Any] = {"model": "openai/gpt-4.1-mini", "params": {"temperature": 0.2, "logit_bias": {"5": 1}}}


@pytest.fixture
def config(database: Database) -> ModelConfig:
    with database.session() as session:
        made = models.create(session, "steady", {**SAID, "target_rpm": 60, "price": {"prompt": 0.4, "completion": 1.6}})
        models.save(session, made, {**SAID, "params": {"temperature": 0.5}, "target_rpm": 60})
        models.create(session, "made up", {"model": "simulated/primary"}, active=False)
        return made


def text(client: FlaskClient, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return html.unescape(response.text)


def test_an_empty_list_says_what_to_do(client: FlaskClient) -> None:
    assert "Make the first config" in text(client, "/models")


@pytest.mark.parametrize("sort", ["name", "price", "rpm", "runs", "time", "cost", "failed", "changed"])
@pytest.mark.parametrize("group", ["model", "none"])
def test_the_list_in_every_order(client: FlaskClient, config: ModelConfig, sort: str, group: str) -> None:
    page = text(client, f"/models?sort={sort}&group={group}")
    assert "steady" in page
    assert "made up" in page
    assert "inactive" in page
    assert "simulated</span>" in page
    assert ('<th scope="rowgroup" colspan="6"><code>openai/gpt-4.1-mini</code>' in page) == (group == "model")
    assert client.get("/models?sort=luck").status_code == 422


def test_one_with_its_revisions_and_what_they_changed(client: FlaskClient, config: ModelConfig) -> None:
    page = text(client, f"/models/{config.id}")
    assert "<del>0.2</del>" in page
    assert "<ins>0.5</ins>" in page
    assert "<del>1.6</del>" in page
    assert "config:steady" in page
    old = text(client, f"/models/{config.id}?revision=1")
    assert "This is revision 1" in old
    assert '"logit_bias"' in old
    assert client.get(f"/models/{config.id}?revision=9").status_code == 404
    assert client.get("/models/99").status_code == 404


def test_the_form_tells_what_is_sent_while_it_is_filled_in(client: FlaskClient) -> None:
    values = {
        "do": "look",
        "model": "openai/gpt-5-mini",
        "temperature": "0.2",
        "verbosity": "low",
        "stop": "END\r\nSTOP",
    }
    part = html.unescape(post(client, "/models/new", values, headers={"HX-Request": "true"}).text)
    assert part.lstrip().startswith('<div id="look"')
    assert "temperature 0.2 is not sent: reasoning models choose it themselves" in part
    assert "verbosity low" in part
    assert "no key" in part
    whole = html.unescape(post(client, "/models/new", values).text)
    assert "temperature 0.2 is not sent" in whole
    assert 'value="0.2"' in whole
    wrong = post(client, "/models/new", values | {"temperature": "hot"}, headers={"HX-Request": "true"}).text
    assert "It cannot be saved yet" in wrong


def test_a_config_is_saved_edited_and_renamed(client: FlaskClient, database: Database) -> None:
    values = {
        "name": "mine",
        "model": "openai/gpt-4.1-mini",
        "temperature": "0.2",
        "stop": "END\r\nSTOP",
        "reasoning_effort": "",
        "extra": '{"logit_bias": {"5": 1}}',
        "target_rpm": "30",
        "price_prompt": "0.4",
        "price_completion": "1.6",
    }
    made = post(client, "/models/new", values)
    assert made.status_code == 303
    with database.session() as session:
        config = models.get(session, "mine")
        assert models.says(models.head(config)) == {
            "model": "openai/gpt-4.1-mini",
            "api_base": "",
            "region": "",
            "params": {"logit_bias": {"5": 1}, "temperature": 0.2, "stop": ["END", "STOP"]},
            "target_rpm": 30.0,
            "price": {"prompt": 0.4, "completion": 1.6, "cached": None},
        }
    shown = text(client, f"/models/{config.id}/edit")
    assert "END\nSTOP" in shown
    same = post(client, f"/models/{config.id}/edit", values, follow_redirects=True).text
    assert "Nothing to save" in same
    changed = {**values, "name": "yours", "temperature": "0.9"}
    assert "Saved as revision 2" in post(client, f"/models/{config.id}/edit", changed, follow_redirects=True).text
    with database.session() as session:
        assert len(models.get(session, "yours").revisions) == 2


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    client: FlaskClient, config: ModelConfig
) -> None:
    values = {
        "name": "steady", "model": "openai/x", "temperature": "hot", "seed": "1.5", "extra": "[1]", "price_prompt": "-1",
        "price_completion": "much", "region": "us-west-2", "target_rpm": "0", "top_k": "ten",
    }  # fmt: skip
    response = post(client, "/models/new", values)
    assert response.status_code == 422
    wrong = {"temperature", "seed", "extra", "price_completion", "price_prompt", "target_rpm", "top_k"}
    assert wrong <= errors(response).keys()
    assert all(f'value="{values[name]}"' in response.text for name in ("temperature", "seed", "price_completion"))
    own_field = post(client, "/models/new", {"name": "x", "model": "openai/x", "extra": '{"temperature": 1}'})
    assert errors(own_field).keys() == {"extra"}
    taken = post(client, "/models/new", {"name": "steady", "model": "openai/x"})
    assert errors(taken).keys() == {"name"}
    refused = post(client, f"/models/{config.id}/edit", {"name": "made up", "model": "openai/gpt-4.1-mini"})
    assert errors(refused).keys() == {"name"}


def test_switched_off_cloned_deleted(client: FlaskClient, database: Database, config: ModelConfig) -> None:
    post(client, f"/models/{config.id}/active", {"active": "0"})
    assert "This config is inactive" in text(client, f"/models/{config.id}")
    assert "config:steady" not in text(client, "/trainings/new")
    post(client, f"/models/{config.id}/active", {"active": "1"})
    assert '<option value="config:steady">' in text(client, "/trainings/new")
    assert "Cloned as steady 2" in post(client, f"/models/{config.id}/clone", follow_redirects=True).text
    assert "is deleted" in post(client, f"/models/{config.id}/delete", follow_redirects=True).text
    assert client.get(f"/models/{config.id}").status_code == 404
    with database.session() as session:
        assert [one.name for one in models.list_configs(session)] == ["made up", "steady 2"]


def test_files_go_out_and_come_in(client: FlaskClient, database: Database, config: ModelConfig) -> None:
    whole = client.get("/models/export")
    assert whole.headers["Content-Disposition"].startswith("attachment")
    assert len(json.loads(whole.text)["configs"]) == 2
    one = client.get(f"/models/{config.id}/json").text
    post(client, f"/models/{config.id}/delete")
    done = post(client, "/models/import", {"text": one}, follow_redirects=True)
    assert "Imported: 1 new." in done.text
    profile = b'{"model_id": "openai/x", "input_token_cost": 0.001, "output_token_cost": -1}\n'
    response = post(client, "/models/import", {"file": (io.BytesIO(profile), "p.jsonl")})
    assert response.status_code == 422
    assert 'line 1: "output_token_cost"' in html.unescape(response.text)
    for content in (b"\xff\xfe", b""):
        assert post(client, "/models/import", {"file": (io.BytesIO(content), "p.jsonl")}).status_code == 422
    assert post(client, "/models/import").status_code == 422


def test_a_training_is_started_with_a_config_and_says_so(client: FlaskClient, database: Database) -> None:
    with database.session() as session:
        datasets.import_file(session, io.BytesIO(f"user_input,ground_truth_output\n{ROWS}\n".encode()), "mine.csv")
        said = {"model": "simulated/primary", "params": {"temperature": 0.5, "top_p": 0.9}}
        models.create(session, "steady", {**said, "price": {"prompt": 0.4, "completion": 1.6}, "target_rpm": 600})
    form = {**FORM, "dataset": "mine", "primary_model": "config:steady"}
    shown = html.unescape(post(client, "/trainings/estimate", form, headers={"HX-Request": "true"}).text)
    assert "Primary model: top_p 0.9 is not sent: Simulated does not take it" in shown
    assert post(client, "/trainings/new", {**form, "do": "start", "confirmed": "1"}).status_code == 303
    with database.session() as session:
        (run,) = runs.list_runs(session)
    page = text(client, f"/runs/{run.id}/settings")
    assert "steady, revision 1" in page
    assert "simulated/primary: USD 0.4 in, 1.6 out, per million tokens" in page
    assert 'value="config:steady"' in text(client, f"/trainings/new?from={run.id}")


def test_access_is_checked_and_followed(app: Flask, client: FlaskClient, database: Database) -> None:
    asked: list[str] = []
    context.attach(app, replace(app.extensions["whetstone"], start_checks=lambda: asked.append("now")))
    with OpenAIServer() as fake, database.session() as session:
        models.create(session, "mine", {"model": "openai/rule", "api_base": fake.url + "/v1"})
        assert "never asked" in text(client, "/models/access")
        page = post(client, "/models/access", {"do": "check", "config": "mine"}, follow_redirects=True)
        assert asked == ["now"]
        assert 'hx-trigger="every 1s"' in page.text
        gateway = Gateway(Settings(), {})
        assert access.answer_asked(database.engine, gateway, Settings().access) == 1
    part = client.get("/models/access", headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith('<section id="access"')
    assert "every 1s" not in part
    assert "answers</span>" in part
    assert post(client, "/models/access", {"config": "nobody"}).status_code == 422


def test_a_training_whose_model_will_not_answer_is_told_before_it_is_queued(
    client: FlaskClient, database: Database, queued: list[str]
) -> None:
    with database.session() as session:
        datasets.import_file(session, io.BytesIO(f"input,answer\n{ROWS}\n".encode()), "mine.csv")
    with OpenAIServer() as fake:
        fake.play(Fault("404"))
        values = {**FORM, "primary_model": "openai/rule", "api_base": fake.url + "/v1", "do": "start"}
        refused = post(client, "/trainings/new", values)
        assert refused.status_code == 422
        assert "does not answer" in errors(refused)["primary_model"]
        assert 'name="skip_check"' in refused.text
        assert queued == []
        assert post(client, "/trainings/new", {**values, "skip_check": "1"}).status_code == 303
        fake.play()
        assert post(client, "/trainings/new", values).status_code == 303
        assert len(queued) == 2
        assert fake.ledger.paid == 1
