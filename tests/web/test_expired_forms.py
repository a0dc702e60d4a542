"""A form from a session that is over: nothing is done, and nothing typed is lost."""

from __future__ import annotations

import html
import io
import re

from flask.testing import FlaskClient

from app.services import prompts
from app.store.database import Database
from tests.web.forms import mark
from tests.web.seed import Seeded

OURS = {"Origin": "http://localhost"}
TYPED = "two\nlines & <b>\u202eabc</b> 🪨\n\nend"


def sent_again(page: str) -> dict[str, str]:
    """The fields of the fresh form."""
    texts = re.findall(r'<textarea name="([^"]+)" hidden>\n(.*?)</textarea>', page, re.DOTALL)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return {name: html.unescape(text) for name, text in texts} | {"csrf_token": found[1]}


def test_the_form_comes_back_fresh_with_everything_in_it(client: FlaskClient, database: Database) -> None:
    values = {"name": "kept", "system_prompt": TYPED, "tags": "", "csrf_token": "old"}
    answer = client.post("/prompts/new", data=values, headers=OURS)
    assert answer.status_code == 400
    fields = sent_again(answer.text)
    assert fields["system_prompt"] == TYPED
    assert fields["csrf_token"] != "old"
    assert 'action="/prompts/new"' in answer.text
    assert client.post("/prompts/new", data=fields, headers=OURS).status_code == 303
    with database.session() as session:
        assert prompts.get(session, "kept").versions[0].system_prompt == TYPED


def test_a_form_of_another_site_is_not_made_fresh(client: FlaskClient, seeded: Seeded) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Referer": "http://evil.example/localhost"}, {}):
        answer = client.post("/runs/r1running/stop", headers=headers)
        assert answer.status_code == 400
        assert "Send it again" not in answer.text
        assert "data-renewed" not in answer.text


def test_a_part_of_a_page_gets_a_fresh_mark(client: FlaskClient, seeded: Seeded) -> None:
    answer = client.post("/runs/r1running/pause", headers={**OURS, "HX-Request": "true", "X-CSRFToken": "old"})
    assert answer.status_code == 400
    found = re.search(r'data-renewed="([^"]+)"', answer.text)
    assert found
    again = client.post("/runs/r1running/pause", headers={**OURS, "HX-Request": "true", "X-CSRFToken": found[1]})
    assert again.status_code == 200
    assert 'hx-swap-oob="beforeend:#notices"' in again.text
    assert "The run pauses after the calls under way." in again.text


def test_a_file_has_to_be_chosen_again(client: FlaskClient) -> None:
    file = (io.BytesIO(b"input,answer\na,b\n"), "a.csv")
    answer = client.post("/datasets/new", data={"csrf_token": "old", "file": file}, headers=OURS)
    assert answer.status_code == 400
    assert "Choose the file once more." in answer.text
    assert 'type="file" id="file"' in answer.text


def test_the_script_is_told_where_to_go_and_how_far_the_reading_is(client: FlaskClient) -> None:
    rows = "".join(f"question {n},yes\n" for n in range(3000))
    file = (io.BytesIO(f"input,answer\n{rows}".encode()), "a.csv")
    sent = {"csrf_token": mark(client, "/datasets/new"), "file": file}
    told = client.post("/datasets/new", data=sent, headers={"Accept": "application/json"}).get_json()
    assert client.get(told["progress"]).get_json() == {"done": None, "whole": None}
    assert client.get(told["next"]).status_code == 200
    seen = client.get(told["progress"]).get_json()
    assert 0 < seen["done"] <= seen["whole"]
    assert client.get("/datasets/uploads/nope/progress").status_code == 404
