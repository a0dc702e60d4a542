"""The scorers that need more than a few settings, in the form and on the run's page."""

from __future__ import annotations

import html
import io
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.services import datasets, runs
from app.store.database import Database
from app.store.models import Run
from app.web import create_app
from app.web.context import Backend
from tests.web.conftest import World
from tests.web.forms import FORM, ROWS, errors, post

CODE = "def score(input, reference, response):\n    return 1.0\n"
PYTHON: dict[str, Any] = {"scorer-0": "python", "scorer-0-of": "python", "scorer-0-file": CODE}
RUBRIC: dict[str, Any] = {
    "scorer-0": "rubric",
    "scorer-0-of": "rubric",
    "scorer-0-criteria": "Short.\r\nFriendly.",
    "scorer-0-instructions": "",
    "judge_model": "simulated/judge",
}


@pytest.fixture
def client(world: World) -> FlaskClient:
    """A browser without scripts; there is a dataset called mine."""
    with world.database.session() as session:
        content = f"user_input,ground_truth_output\n{ROWS}\n".encode()
        datasets.import_file(session, io.BytesIO(content), "mine.csv")
    return world.app.test_client()


@pytest.fixture
def allowed(client: FlaskClient, world: World) -> FlaskClient:
    """The same where the operator allows code."""
    backend = world.app.extensions["whetstone"]
    settings = backend.settings.model_copy(update={"allow_code": True})
    return create_app(Backend(settings, world.database.engine, backend.enqueue, environ={})).test_client()


def only_run(database: Database) -> Run:
    with database.session() as session:
        (run,) = runs.list_runs(session)
        return run


def test_the_fields_of_a_rubric_are_shown(client: FlaskClient) -> None:
    page = post(client, "/trainings/new", {**FORM, **RUBRIC, "do": "choose-scorer"}).text
    assert '<textarea class="input" id="scorer-0-criteria"' in page
    assert 'name="judge_model" value="simulated/judge"' in page
    assert '<option value="rouge_l">ROUGE-L</option>' in page


def test_a_training_with_a_judge_starts_and_shows_what_the_judge_is_told(client: FlaskClient, world: World) -> None:
    response = post(client, "/trainings/new", {**FORM, **RUBRIC})
    assert response.status_code == 303
    run = only_run(world.database)
    assert run.spec["judge"]["name"] == "simulated/judge"
    assert run.spec["scorers"][0]["criteria"] == "Short.\nFriendly."
    page = html.unescape(client.get(f"/runs/{run.id}/settings").text)
    assert "<summary>Instructions of the judge</summary>" in page
    assert "Grade one answer of a language model" in page
    assert "Judge model" in page
    again = client.get(f"/trainings/new?from={run.id}").text
    assert "Short.\nFriendly." in again
    assert 'name="judge_model" value="simulated/judge"' in again


def test_code_is_refused_where_it_is_not_allowed(client: FlaskClient, world: World) -> None:
    response = post(client, "/trainings/new", {**FORM, **PYTHON})
    assert response.status_code == 422
    assert "set allow_code to true" in errors(response)["scorer"]
    assert "return 1.0" in response.text
    assert world.queued == []


def test_code_is_pinned_and_shown(allowed: FlaskClient, world: World) -> None:
    response = post(allowed, "/trainings/new", {**FORM, **PYTHON, "scorer-0-file": CODE.replace("\n", "\r\n")})
    assert response.status_code == 303, errors(response)
    run = only_run(world.database)
    assert run.spec["scorers"] == [{"name": "python", "file": CODE, "weight": 1.0}]
    page = html.unescape(allowed.get(f"/runs/{run.id}/settings").text)
    assert "<summary>Python file of the scorer</summary>" in page
    assert f"{len(CODE)} characters (content " in page
    assert "    return 1.0" in page


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("", "file is empty"),
        ("def score(", "line 1: it is not valid Python"),
        ("x = 1", "it has no function score"),
        ("raise ValueError('<b>no</b>')", "ValueError: <b>no</b>"),
        ("x" * 200_001, "at most 200,000 characters"),
    ],
)
def test_code_that_cannot_work_is_refused(allowed: FlaskClient, world: World, file: str, says: str) -> None:
    response = post(allowed, "/trainings/new", {**FORM, **PYTHON, "scorer-0-file": file})
    assert response.status_code == 422
    found = errors(response)
    assert says in found.get("scorer", "") + found.get("scorer-0-file", "")
    assert "<b>no</b>" not in response.text
    assert world.queued == []


def upload(client: FlaskClient, content: bytes, do: str) -> Any:
    form = {**FORM, **PYTHON, "scorer-0-file": "old", "do": do}
    form["scorer-0-file-upload"] = (io.BytesIO(content), "score.py")
    return post(client, "/trainings/new", form, content_type="multipart/form-data")


def test_a_file_is_loaded_into_the_field(allowed: FlaskClient, world: World, tmp_path: Path) -> None:
    page = upload(allowed, b"\xef\xbb\xbf" + CODE.replace("\n", "\r\n").encode(), "load-file")
    assert page.status_code == 200
    assert f">\n{CODE}</textarea>" in page.text
    assert 'enctype="multipart/form-data"' in page.text
    assert upload(allowed, CODE.encode(), "start").status_code == 303
    assert only_run(world.database).spec["scorers"][0]["file"] == CODE


@pytest.mark.parametrize(("content", "says"), [(b"\xff\xfe\x00", "no text in UTF-8"), (b"x" * 300_000, "more than")])
def test_a_file_that_is_none_is_told_beside_its_field(
    allowed: FlaskClient, world: World, content: bytes, says: str
) -> None:
    response = upload(allowed, content, "start")
    assert response.status_code == 422
    assert says in errors(response)["scorer-0-file"]
    assert ">\nold</textarea>" in response.text
