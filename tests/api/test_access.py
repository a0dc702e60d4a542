"""Tokens, and requests that are sent twice."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.services import api_access
from app.store.api_access import KeptAnswer
from tests.api.conftest import BASE, Api

CONFIG = {"name": "steady", "model": "simulated/primary"}


def keyed(key: str) -> dict[str, Any]:
    return {"headers": {"Idempotency-Key": key}}


def test_a_token_is_kept_as_its_digest_and_known_until_it_is_taken_back(web: Api) -> None:
    with Session(web.database.engine) as session:
        token, text = api_access.create(session, "  nightly   export ")
        assert token.name == "nightly export"
        assert text not in str(vars(token))
    shown = {"Authorization": f"Bearer {text}"}
    assert web.client.get(BASE + "/runs", headers=shown).status_code == 200
    with Session(web.database.engine) as session:
        assert api_access.list_tokens(session)[0].used_at
        api_access.revoke(session, "nightly export")
    refused = web.client.get(BASE + "/runs", headers=shown)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert refused.json == {
        "type": "unauthorized",
        "errors": [{"field": "", "message": "this token is not known here; it may have been taken back"}],
    }


@pytest.mark.parametrize("header", ["Bearer ", "Bearer nope", "Basic abc", "nope", "Bearer é"])
def test_what_is_no_token_is_refused_even_where_none_is_needed(web: Api, header: str) -> None:
    assert web.client.get(BASE + "/runs", headers={"Authorization": header}).status_code == 401


def test_where_tokens_are_needed_nothing_is_answered_without(tmp_path: Any) -> None:
    it = Api(tmp_path, api_needs_token=True)
    assert it.client.get(BASE + "/runs").status_code == 401
    assert it.client.get(BASE + "/openapi.json").status_code == 401
    with Session(it.database.engine) as session:
        _, text = api_access.create(session, "one")
    assert it.client.get(BASE + "/runs", headers={"Authorization": f"Bearer {text}"}).status_code == 200


def test_a_request_that_is_sent_twice_is_done_once(web: Api) -> None:
    first = web.client.post(BASE + "/models", json=CONFIG, **keyed("k1"))
    again = web.client.post(BASE + "/models", json=CONFIG, **keyed("k1"))
    assert (first.status_code, first.json) == (again.status_code, again.json)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "steady" in web.errors(web.post("/models", CONFIG, 422))["name"]
    other = web.post("/models", {**CONFIG, "name": "other"}, 422, **keyed("k1"))
    assert "another request" in web.errors(other)["Idempotency-Key"]
    assert [one["name"] for one in web.get("/models")["items"]] == ["steady"]


def test_a_refusal_is_kept_too(web: Api) -> None:
    wrong = {**CONFIG, "model": "nobody/x"}
    assert web.post("/models", wrong, 422, **keyed("k2")) == web.post("/models", wrong, 422, **keyed("k2"))


@pytest.mark.parametrize("key", ["", "a b", "x" * 201])
def test_a_key_that_is_none_is_refused(web: Api, key: str) -> None:
    assert "Idempotency-Key" in web.errors(web.post("/models", CONFIG, 422, **keyed(key)))
    assert web.get("/models")["items"] == []


def test_a_request_whose_first_sending_has_no_answer_yet_waits(web: Api) -> None:
    started = web.client.post(BASE + "/models", json=CONFIG, **keyed("k3"))
    assert started.status_code == 201
    with Session(web.database.engine) as session:
        kept = session.scalars(select(KeptAnswer)).one()
        kept.status = 0  # as a server leaves it that dies in the middle
        session.commit()
    assert "no answer yet" in web.errors(web.post("/models", CONFIG, 409, **keyed("k3")))[""]


def test_many_at_once_do_it_once(web: Api) -> None:
    answers: list[int] = []

    def send() -> None:
        answers.append(web.app.test_client().post(BASE + "/models", json=CONFIG, **keyed("k4")).status_code)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {201, 409}
    assert 201 in answers
    assert len(web.get("/models")["items"]) == 1
