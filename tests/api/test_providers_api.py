"""Providers at the API: servers and keys are set up, tested and removed; no answer, page, export or log holds a key."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.api.conftest import Api
from tests.fakes.openai_server import OpenAIServer

KEY = "sk-canary-5772156649015328"


@pytest.fixture
def fake() -> Iterator[OpenAIServer]:
    with OpenAIServer(api_key=KEY) as server:
        assert isinstance(server, OpenAIServer)
        yield server


def send(web: Api, method: str, path: str, body: object = None, status: int = 200) -> str:
    response = web.client.open("/api/v1" + path, method=method, json=body)
    assert response.status_code == status, response.text
    return response.text


def test_a_server_and_keys_from_beginning_to_end(
    web: Api, fake: OpenAIServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = [
        send(web, "POST", "/providers/servers", {"name": "lab", "base_url": fake.url + "/v1", "key": KEY}, 201),
        send(web, "POST", "/providers/servers/lab/test", {}),
        send(web, "PUT", "/providers/openai/key", {"key": KEY}, 204),
        send(web, "PUT", "/providers/openai/key", {"key": KEY + " x"}, 422),
        send(web, "PUT", "/providers/nobody/key", {"key": KEY}, 404),
        send(web, "PUT", "/providers/bedrock/key", {"key": KEY}, 422),
        send(web, "POST", "/providers/servers", {"name": "lab", "base_url": fake.url, "key": KEY, "x": 1}, 422),
        send(
            web, "POST", "/providers/servers", {"name": "m", "base_url": f"http://a:{KEY}@127.0.0.1/", "key": KEY}, 422
        ),
        send(web, "GET", "/providers"),
        send(web, "GET", "/providers/servers"),
        *(
            web.client.get(page).text
            for page in ("/providers", "/providers/servers/1", "/models/new", "/trainings/new")
        ),
    ]
    lab = web.get("/providers/servers/lab")
    assert lab["key_set_at"]
    assert lab["key_usable"] is True
    assert lab["models"] == ["openai/rule"]
    assert {step["name"]: step["ok"] for step in lab["test"]} == dict.fromkeys(
        ("reachable", "models", "call", "stream"), True
    )
    openai = next(one for one in web.get("/providers")["items"] if one["name"] == "openai")
    assert openai["ready"]
    assert openai["how_found"] == "a key was entered here"

    form = {"dataset": "tickets", "system_prompt": "Sort.", "primary_model": "openai/rule", "epochs": 1}
    form |= {"api_base": fake.url + "/v1", "optimizer_model": "simulated/optimizer"}
    run = web.post("/trainings", form, 201)
    said += [send(web, "GET", f"/runs/{run['id']}"), web.client.get("/api/v1/models/export").text, caplog.text]
    assert not any(KEY in text for text in said)
    assert "lab" in said[-7]


def test_another_address_drops_the_key_and_removing_leaves_nothing(web: Api) -> None:
    send(web, "POST", "/providers/servers", {"name": "lab", "base_url": "http://127.0.0.1:9/v1", "key": KEY}, 201)
    send(web, "PUT", "/providers/servers/lab", {"name": "lab 2"})
    assert web.get("/providers/servers/lab 2")["key_set_at"]
    send(web, "PUT", "/providers/servers/lab 2", {"base_url": "http://127.0.0.1:10/v1"})
    assert web.get("/providers/servers/lab 2")["key_set_at"] is None
    send(web, "DELETE", "/providers/servers/lab 2", status=204)
    assert web.get("/providers/servers")["items"] == []
    send(web, "GET", "/providers/servers/lab 2", status=404)
    refused = web.post("/providers/servers", {"name": "n", "base_url": "http://192.168.1.5/v1"}, 422)
    assert "private_hosts" in web.errors(refused)["base_url"]
    send(web, "PUT", "/providers/openai/key", {"key": KEY}, 204)
    send(web, "DELETE", "/providers/openai/key", status=204)
    openai = next(one for one in web.get("/providers")["items"] if one["name"] == "openai")
    assert openai["key_set_at"] is None
