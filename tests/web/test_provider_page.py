"""The page of providers says what is ready and what is missing, and never a secret."""

from __future__ import annotations

from dataclasses import replace

from flask import Flask
from flask.testing import FlaskClient

from app.web import context

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
