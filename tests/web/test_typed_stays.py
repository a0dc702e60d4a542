"""Whatever is typed into whichever form: it is taken, or it stands in its field again beside a message. Nothing is lost."""

from __future__ import annotations

import html
import io
from html.parser import HTMLParser
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.services import models, prompts
from app.store.database import Database
from tests.web.forms import errors, mark, post
from tests.web.seed import Seeded

LONG = "x" * 200_000
MIXED = "<script>alert(1)</script> \u202eאבג\u202c مرحبا 🪨👩\u200d👩\u200d👧 \"quoted\" & 'more' {{input}}"
PAGES = (
    "/prompts/new",
    "/prompts/new?kind=chat",
    "/prompts/import",
    "/prompts/1",
    "/prompts/1/edit",
    "/prompts/1/about",
    "/prompts/1/versions/1",
    "/datasets/1/labels?state=all",
    "/runs/r0finished/rejudge",
    "/runs/r0finished/settings",
    "/trainings/new?from=r0finished",
    "/models/new",
    "/models/1/edit",
    "/models/import",
)
TYPED = {"text", "search", "url", "number", "email", "textarea"}


class Form:
    """A form of a page. values: what a browser would send; kinds: of each field that can be typed into."""

    def __init__(self, action: str) -> None:
        self.action = action
        self.values: dict[str, str] = {}
        self.kinds: dict[str, str] = {}


class Reading(HTMLParser):
    """The forms of a page that are posted, with what stands in them; fields outside of any form aside."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._area, self._select = "", ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, kind = given.get("name", ""), given.get("type", "text")
        if tag == "form":
            self._form = Form(given.get("action", "")) if given.get("method") == "post" else None
            self.forms += [self._form] if self._form else []
        elif self._form is None or (tag in ("input", "select", "textarea") and not name):
            return
        elif tag == "input" and (kind not in ("checkbox", "radio", "file") or "checked" in given):
            self._form.values[name] = given.get("value", "on" if kind == "checkbox" else "")
            if kind in TYPED:
                self._form.kinds[name] = kind
        elif tag == "textarea":
            self._area, self._form.values[name], self._form.kinds[name] = name, "", "textarea"
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and (self._select not in self._form.values or "selected" in given):
            self._form.values[self._select] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._area and self._form:
            self._form.values[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._form:
            self._form.values[self._area] = self._form.values[self._area].removeprefix("\n")
            self._area = ""
        elif tag == "select":
            self._select = ""
        elif tag == "form":
            self._form = None


@pytest.fixture(autouse=True)
def config(database: Database, seeded: Seeded) -> None:
    with database.session() as session:
        models.create(session, "mine", {"model": "openai/gpt-5-mini", "params": {}})


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("text", [LONG, MIXED], ids=["long", "mixed"])
def test_what_is_typed_is_taken_or_stands_there_again(client: FlaskClient, page: str, text: str) -> None:
    found = Reading(client.get(page).text).forms
    forms = [
        form for form in found if form.kinds and not form.action.startswith("/playground")
    ]  # a panel beside the form
    assert forms
    for form in forms[:3]:
        for name in form.kinds:
            if name in ("csrf_token", "once", "from"):
                continue
            sent = {"do": "correct"} if "/labels/" in form.action else {}
            sent |= form.values | {name: text, "csrf_token": mark(client)}
            answer = client.post(form.action or page, data=sent)
            assert answer.status_code in (200, 303, 422), (form.action, name, answer.status_code)
            assert "<script>alert(1)" not in answer.text, (form.action, name)
            if answer.status_code == 303:
                assert "<script>alert(1)" not in client.get(answer.location).text
                continue
            assert errors(answer) or 'role="alert"' in answer.text, (form.action, name)
            again = [one.values[name] for one in Reading(answer.text).forms if name in one.values]
            assert text in again, (form.action, name, [value[:80] for value in again])


def test_a_name_that_is_taken_is_said_beside_it(client: FlaskClient, database: Database) -> None:
    answer = post(client, "/prompts/new", {"name": "bank topics", "system_prompt": MIXED})
    assert answer.status_code == 422
    assert "name" in errors(answer)
    assert html.escape(MIXED, quote=False)[:30] in answer.text or html.escape(MIXED)[:30] in answer.text
    answer = post(client, "/models/new", {"name": "mine", "model": "openai/gpt-5", "params": ""})
    assert answer.status_code == 422
    assert "name" in errors(answer)
    rows = io.BytesIO(b"input,answer\nother,content\n")
    kept = post(client, "/datasets/new", {"file": (rows, "other.csv")}).location
    answer = post(client, kept, {"do": "import", "name": "bank messages"})
    assert answer.status_code == 422
    assert "there is a dataset called" in errors(answer)["name"]
    assert 'value="bank messages"' in answer.text


def test_an_import_that_is_sent_twice_is_done_once(client: FlaskClient, database: Database) -> None:
    rows = io.BytesIO(b"input,answer\nother,content\n")
    kept = post(client, "/datasets/new", {"file": (rows, "other.csv")}).location
    assert post(client, kept, {"do": "import", "name": "other"}).status_code == 303
    again = post(client, kept, {"do": "import", "name": "other"}, follow_redirects=True)
    assert again.status_code == 200
    assert "imported already" in again.text


def test_what_was_typed_for_something_deleted_can_be_taken_elsewhere(client: FlaskClient, database: Database) -> None:
    form: dict[str, Any] = Reading(client.get("/prompts/1/edit").text).forms[0].values
    with database.session() as session:
        prompts.delete(session, prompts.get(session, "bank topics"))
    answer = client.post("/prompts/1/edit", data={**form, "system_prompt": MIXED, "csrf_token": mark(client)})
    assert answer.status_code == 404
    assert "What you had typed" in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; \u202eאבג" in answer.text
    assert "<script>alert" not in answer.text
