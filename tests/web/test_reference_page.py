"""The page about the JSON API: every request is on it, and tokens are made, shown once and taken back."""

from __future__ import annotations

import html
import re

from flask import Flask
from flask.testing import FlaskClient

from tests.web.forms import post


def test_every_request_is_on_the_page(app: Flask, client: FlaskClient) -> None:
    text = client.get("/api").text
    paths = app.extensions["openapi"]["paths"]
    assert len(re.findall(r'<details class="fold"', text)) == sum(len(methods) for methods in paths.values())
    for path in paths:
        assert f"<code>{path}</code>" in text
    assert "curl -X POST 'http://localhost/api/v1/trainings' -H 'Content-Type: application/json'" in html.unescape(text)


def test_a_token_is_shown_once_and_taken_back(client: FlaskClient) -> None:
    made = post(client, "/api/tokens", {"name": "<b>nightly</b>"})
    assert made.status_code == 201
    found = re.search(r"whet_[\w-]{40,}", made.text)
    assert found
    assert "<b>nightly" not in made.text
    again = client.get("/api").text
    assert found[0] not in again
    assert "&lt;b&gt;nightly&lt;/b&gt;" in again
    assert client.get("/api/v1/runs", headers={"Authorization": f"Bearer {found[0]}"}).status_code == 200
    assert post(client, "/api/tokens/revoke", {"name": "<b>nightly</b>"}).status_code == 303
    assert client.get("/api/v1/runs", headers={"Authorization": f"Bearer {found[0]}"}).status_code == 401
    assert post(client, "/api/tokens/revoke", {"name": "<b>nightly</b>"}).status_code == 404


def test_a_wrong_name_is_told_beside_the_field_and_kept(client: FlaskClient) -> None:
    post(client, "/api/tokens", {"name": "twice"})
    for name, why in (
        ("twice", "there is a token called twice already"),
        ("", "write a name"),
        ("x" * 101, "write a name"),
    ):
        refused = post(client, "/api/tokens", {"name": name})
        assert refused.status_code == 422
        assert f'value="{name}"' in refused.text
        assert why in refused.text
