"""The page of providers says what is ready and what is missing, and never a secret."""

from __future__ import annotations

import html
from dataclasses import replace

from flask import Flask
from flask.testing import FlaskClient

from app.web import context
from tests.fakes.openai_server import OpenAIServer
from tests.web.forms import errors, post

KEY = "sk-canary-1234567890"


def test_without_keys_the_simulated_provider_is_offered(client: FlaskClient) -> None:
    page = client.get("/providers").text
    assert "No provider is set up yet" in page
    assert "simulated/primary" in page
    assert "Set OPENAI_API_KEY." in page
    assert "vertex_ai/gemini" in page


def test_a_key_makes_a_provider_ready_and_is_never_shown(app: Flask, client: FlaskClient) -> None:
    environ = {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}
    context.attach(app, replace(app.extensions["whetstone"], environ=environ))
    page = client.get("/providers").text
    assert "OPENAI_API_KEY is set" in page
    assert "No provider is set up yet" not in page
    assert KEY not in page
    form = client.get("/trainings/new").text
    assert 'value="openai/gpt-5-mini"' in form
    assert KEY not in form


def test_a_key_is_entered_and_removed_and_never_comes_back(client: FlaskClient, app: Flask) -> None:
    kept = post(client, "/providers/keys", {"provider": "openai", "key": KEY}, follow_redirects=True)
    assert "is kept, encrypted" in kept.text
    assert "a key was entered here" in kept.text
    refused = post(client, "/providers/keys", {"provider": "anthropic", "key": f"{KEY} oops"})
    assert errors(refused).keys() == {"key"}
    assert '<option value="anthropic" selected>' in refused.text
    context.attach(app, replace(app.extensions["whetstone"], environ={"OPENAI_API_KEY": "sk-other-key"}))
    assert "OPENAI_API_KEY is set and counts instead" in client.get("/providers").text
    gone = post(client, "/providers/keys/openai/delete", follow_redirects=True)
    assert "is removed" in gone.text
    assert not any(KEY in page.text for page in (kept, refused, gone))


def test_a_server_is_added_tested_changed_and_removed(client: FlaskClient) -> None:
    with OpenAIServer(api_key=KEY) as fake:
        values = {"name": "Lab", "base_url": fake.url + "/v1", "key": KEY, "do": "test"}
        tested = post(client, "/providers/servers/new", values, follow_redirects=True)
        assert "rule answers" in tested.text
        assert f"model=openai/rule&amp;api_base={fake.url}/v1" in tested.text.replace("%3A", ":").replace("%2F", "/")
        form = client.get(f"/models/new?model=openai/rule&api_base={fake.url}/v1").text
        assert f'value="{fake.url}/v1"' in form
        assert '<option value="openai/rule">at Lab</option>' in form
        assert "answers</span>" in client.get("/providers").text
        again = post(client, "/providers/servers/1/test", {"model": "another"}, follow_redirects=True)
        assert "another answers" in again.text
    moved = post(
        client, "/providers/servers/1", {"name": "Lab", "base_url": "http://127.0.0.1:9/v1"}, follow_redirects=True
    )
    assert "belonged to the address of before" in html.unescape(moved.text)
    wrong = post(client, "/providers/servers/1", {"name": "", "base_url": "http://10.9.9.9/v1", "key": KEY})
    assert errors(wrong).keys() == {"name", "base_url"}
    assert 'value="http://10.9.9.9/v1"' in wrong.text
    assert not any(KEY in page.text for page in (tested, again, moved, wrong))
    assert "Lab and its key are removed" in post(client, "/providers/servers/1/delete", follow_redirects=True).text
    assert client.get("/providers/servers/1").status_code == 404
