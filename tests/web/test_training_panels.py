"""The panels of the training form: what is known of the data, and the optimizer's instructions in versions."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.services import datasets, prompts
from app.store.database import Database
from tests.web.forms import FORM, ROWS, errors, post

TEXT = "Improve {{system_prompt}} and {{output_prompt}}.\n{{failures}}\n{{reply_format}}\nBe brief."


@pytest.fixture(autouse=True)
def mine(database: Database) -> None:
    with database.session() as session:
        datasets.import_file(session, io.BytesIO(f"input,answer\n{ROWS}\n".encode()), "m.csv", name="mine")


def send(client: FlaskClient, do: str, **changes: Any) -> Any:
    return post(client, "/trainings/new", {**FORM, "do": do, **changes})


def area(page: str) -> str:
    found = re.search(r'<textarea[^>]*id="instructions"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    assert found
    return found[1]


def test_the_chosen_data_is_told_in_figures(client: FlaskClient) -> None:
    assert 'class="data-facts"' not in client.get("/trainings/new").text
    page = client.get("/trainings/new?dataset=mine").text
    figures = page[page.index('class="data-facts"') :]
    assert "60" in figures[: figures.index("look at them")]
    assert "2 different, labels that repeat" in figures
    assert 'aria-label="Shares of train, validation and test"' in send(client, "estimate").text


def test_instructions_are_loaded_changed_and_kept_as_versions(client: FlaskClient, database: Database) -> None:
    shipped = send(client, "load-instructions").text
    assert "{{failures}}" in area(shipped)
    page = send(client, "save-instructions", instructions=TEXT).text
    assert "Kept as version 2 of optimizer/auto." in page
    assert area(page) == TEXT
    with database.session() as session:
        assert prompts.optimizer_instructions(session, "auto") == TEXT
    assert "this strategy uses version 2 in the library" in page
    assert area(send(client, "load-instructions", instructions_from="1").text) == area(shipped)
    assert area(send(client, "load-instructions", instructions_from="2").text) == TEXT
    assert area(send(client, "load-instructions", instructions_from="shipped", instructions="x").text) == area(shipped)
    assert area(send(client, "load-instructions", instructions_from="99", instructions="x").text) == "x"


def test_instructions_that_cannot_instruct_are_refused_beside_their_field(client: FlaskClient) -> None:
    answer = send(client, "save-instructions", instructions="Do better.")
    assert answer.status_code == 422
    assert "must occur" in errors(answer)["instructions"]
    assert area(answer.text) == "Do better."


def test_a_strategy_without_an_optimizer_has_nothing_to_instruct(client: FlaskClient) -> None:
    page = send(client, "choose-strategy", strategy="example_addition", instructions="typed").text
    assert "asks no optimizer model" in page
    assert 'name="instructions" value="typed"' in page
