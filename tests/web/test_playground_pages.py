"""The playground without scripts: its form, its refusals, the answers of a try that was driven, and what becomes of them."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from app.services.drive import drive
from app.store.models import Dataset, Run
from tests.fakes.llm import RuleLLM
from tests.web.conftest import World

HOSTILE = "<script>alert(1)</script> & <b>bold</b>"


def send(client: FlaskClient, **fields: object) -> object:
    return client.post("/playground", data={"models": "simulated/primary", "input": "hello", **fields})


def driven(world: World, llm: RuleLLM) -> str:
    """The run that was queued last, driven to its end."""
    run_id = world.queued[-1]
    drive(run_id, database=world.database, open_llm=lambda: llm, owner="test", lease_s=20)
    return run_id


def test_the_page_opens(client: FlaskClient) -> None:
    page = client.get("/playground").get_data(as_text=True)
    assert 'name="models"' in page and 'name="input"' in page
