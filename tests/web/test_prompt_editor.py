"""The editor of prompts in a browser without scripts."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from app.services import prompts
from app.store.database import Database
from app.store.models import Prompt
from tests.web.forms import errors, post
from tests.web.library import CHAT, chat, prompt, saved

__all__ = ["chat", "prompt"]  # fixtures


def test_a_prompt_is_written_and_shown(client: FlaskClient, database: Database) -> None:
    form = {"kind": "pair", "name": "mine", "system_prompt": "Line 1\r\nLine 2", "output_prompt": "", "tags": "a, b"}
    response = post(client, "/prompts/new", form, follow_redirects=True)
    assert response.status_code == 200
    assert "mine is in the library." in response.text
    made = saved(database, "mine")
    assert made.versions[0].system_prompt == "Line 1\nLine 2"
    assert made.tags == ["a", "b"]


@pytest.mark.parametrize(
    ("form", "field", "says"),
    [
        ({"name": "", "system_prompt": "x"}, "name", "give it a name"),
        ({"name": "a@b", "system_prompt": "x"}, "name", "not a possible name"),
        ({"name": "support", "system_prompt": "x"}, "name", "already"),
        ({"name": "x", "system_prompt": "  "}, "system_prompt", "write a system prompt"),
        ({"name": "x", "system_prompt": "x" * 200_001}, "system_prompt", "longer than"),
        ({"name": "x", "system_prompt": "x", "description": "d" * 2001}, "description", "at most"),
        ({"name": "x", "system_prompt": "x", "category": "c" * 101}, "category", "at most"),
        ({"name": "x", "system_prompt": "x", "tags": "t" * 61}, "tags", "not a possible tag"),
        ({"kind": "chat", "name": "x", "messages": "[{]"}, "messages", "line 1, column 3"),
        ({"kind": "chat", "name": "", "messages": "[{]"}, "name", "give it a name"),
        (
            {"kind": "chat", "name": "x", "messages": '[{"role": "robot", "content": "x"}]'},
            "messages",
            "message 1 needs a role",
        ),
        (
            {"kind": "chat", "name": "x", "role": ["user", "system"], "content": ["a", "b"]},
            "messages",
            "message 2 has the role",
        ),
        ({"kind": "chat", "name": "x", "role": ["user"], "content": [" "]}, "messages", "at least one message"),
        ({"kind": "chat", "name": "x"}, "messages", "at least one message"),
    ],
)
def test_a_wrong_form_is_explained_beside_its_field_and_nothing_is_lost(
    client: FlaskClient, prompt: Prompt, form: dict[str, str], field: str, says: str
) -> None:
    response = post(client, "/prompts/new", {"description": "Keep me", **form})
    assert response.status_code == 422
    assert says in errors(response)[field]
    if "description" not in form:
        assert "Keep me" in response.text
    if len(form["name"]) < 50:
        assert f'value="{form["name"]}"' in response.text


def test_a_chat_is_edited_as_rows_and_as_json(client: FlaskClient, database: Database) -> None:
    rows = {"kind": "chat", "name": "talk", "role": ["system", "user"], "content": ["Be kind.", "{{question}}"]}
    more = post(client, "/prompts/new", {**rows, "do": "add"})
    assert more.status_code == 200
    assert more.text.count('name="content"') == 3
    fewer = post(client, "/prompts/new", {**rows, "do": "remove-0"})
    assert "Be kind." not in fewer.text
    swapped = post(client, "/prompts/new", {**rows, "do": "up-1"}).text
    assert swapped.index("{{question}}</textarea>") < swapped.index("Be kind.</textarea>")
    as_json = post(client, "/prompts/new", {**rows, "do": "as-json"}).text
    assert 'name="messages"' in as_json
    assert "&#34;content&#34;: &#34;Be kind.&#34;" in as_json
    back = {"kind": "chat", "name": "talk", "messages": json.dumps(CHAT), "do": "as-rows"}
    assert "You know {{topic}}.</textarea>" in post(client, "/prompts/new", back).text
    wrong = post(client, "/prompts/new", {**back, "messages": "[1"})
    assert wrong.status_code == 422
    assert "this is not JSON" in errors(wrong)["messages"]
    for odd in ("remove-99", "up-0", "remove-x", "add-", "up-99999"):
        assert post(client, "/prompts/new", {**rows, "do": odd}).status_code == 200

    post(client, "/prompts/new", {**rows, "do": "save"})
    assert [m["role"] for m in saved(database, "talk").versions[0].messages] == ["system", "user"]


def test_the_editor_says_what_stands_in_it(client: FlaskClient, prompt: Prompt) -> None:
    form = {"system_prompt": "Answer {{input}} {{2}} {{mood}}", "do": "look", "base": "2"}
    response = post(client, f"/prompts/{prompt.id}/edit", form, headers={"HX-Request": "true"})
    assert response.text.startswith('<div id="look"')
    assert '<code class="chip">{{mood}}</code>' in response.text
    assert "{{mood}} is filled in by nothing" in response.text
    assert "is no variable name" in response.text
    assert "<ins>" in response.text
    without_scripts = post(client, f"/prompts/{prompt.id}/edit", form)
    assert "Answer {{input}} {{2}} {{mood}}</textarea>" in without_scripts.text


def test_a_new_version_is_saved_with_its_parent_and_reason(
    client: FlaskClient, database: Database, prompt: Prompt
) -> None:
    page = client.get(f"/prompts/{prompt.id}/edit?from=1").text
    assert "Made from version 1" in page
    form = {"system_prompt": "New", "output_prompt": "", "base": "1", "reasoning": "shorter"}
    response = post(client, f"/prompts/{prompt.id}/edit", form, follow_redirects=True)
    assert "Saved as version 3." in response.text
    with database.session() as session:
        third = prompts.version(session, prompts.by_id(session, prompt.id), 3)
        assert (third.parent.number if third.parent else None, third.reasoning) == (1, "shorter")
    again = post(client, f"/prompts/{prompt.id}/edit", form, follow_redirects=True)
    assert "Nothing to save: the text is that of version 3." in again.text
    empty = post(client, f"/prompts/{prompt.id}/edit", {"system_prompt": "", "output_prompt": "", "base": "x"})
    assert empty.status_code == 422
    assert "write a system prompt" in errors(empty)["system_prompt"]


def test_wrong_json_of_an_existing_chat_is_the_only_problem(client: FlaskClient, chat: Prompt) -> None:
    response = post(client, f"/prompts/{chat.id}/edit", {"messages": "[{]"})
    assert response.status_code == 422
    assert list(errors(response)) == ["messages"]
