"""The prompt library in a browser without scripts."""

from __future__ import annotations

import io

import pytest
from flask.testing import FlaskClient

from app.services import prompts
from app.store.database import Database
from app.store.models import Prompt
from tests.web.forms import errors, post
from tests.web.library import SCRIPT, chat, prompt, saved

__all__ = ["chat", "prompt"]  # fixtures


def test_an_empty_library_says_what_to_do_next(client: FlaskClient) -> None:
    page = client.get("/prompts").text
    assert "No prompts yet" in page
    assert "Write the first prompt" in page


def test_the_list_searches_and_filters(client: FlaskClient, prompt: Prompt, chat: Prompt) -> None:
    assert {"support", "chat"} <= names(client.get("/prompts").text)
    assert names(client.get("/prompts?search=mails").text) == {"support"}
    assert names(client.get("/prompts?tag=mail").text) == {"support"}
    nothing = client.get("/prompts?search=nothing").text
    assert "No prompt fits" in nothing
    assert 'value="nothing"' in nothing


def names(page: str) -> set[str]:
    return {name for name in ("support", "chat") if f">{name}</a>" in page}


def test_the_list_has_pages(client: FlaskClient, database: Database) -> None:
    with database.session() as session:
        for number in range(45):
            prompts.create(session, f"prompt {number:02}", system_prompt="x")
    first = client.get("/prompts").text
    assert "prompt 39" in first
    assert "prompt 40" not in first
    second = client.get("/prompts?after=prompt+39").text
    assert "prompt 40" in second
    assert "First page" in second


def test_a_prompt_shows_versions_labels_lineage_and_variables(client: FlaskClient, prompt: Prompt) -> None:
    page = client.get(f"/prompts/{prompt.id}").text
    assert "Version 2" in page
    assert "production" in page
    assert '<svg class="graph"' in page
    assert 'aria-label="version 2, made from version 1"' in page
    assert "{{topic}} is filled in by nothing in a training" in page
    assert SCRIPT not in page
    assert "No run has used it yet." in page


def test_a_long_history_has_pages(client: FlaskClient, database: Database, prompt: Prompt) -> None:
    with database.session() as session:
        mine = prompts.by_id(session, prompt.id)
        for number in range(3, 41):
            prompts.save_version(session, mine, system_prompt=f"text {number}")
    page = client.get(f"/prompts/{prompt.id}").text
    assert "before=11" in page
    older = client.get(f"/prompts/{prompt.id}?show=kept&before=11").text
    assert ">Version 10</a>" in older
    assert ">Version 11</a>" not in older


@pytest.mark.parametrize("view", ["prompt", "changes", "text", "yaml", "json", "python"])
def test_a_version_has_views(client: FlaskClient, prompt: Prompt, view: str) -> None:
    response = client.get(f"/prompts/{prompt.id}/versions/2?view={view}")
    assert response.status_code == 200
    assert "Answer" in response.text
    assert SCRIPT not in response.text


def test_a_version_is_downloaded(client: FlaskClient, prompt: Prompt) -> None:
    for format, ending in (("text", "txt"), ("yaml", "yaml"), ("json", "json"), ("python", "py")):
        response = client.get(f"/prompts/{prompt.id}/versions/2/export/{format}")
        assert f'filename="support v2.{ending}"' in response.headers["Content-Disposition"]
        assert "Answer in one word." in response.text


def test_a_name_in_any_script_makes_a_file_name(client: FlaskClient, database: Database) -> None:
    with database.session() as session:
        made = prompts.create(session, "Größe/日本", system_prompt="x")
    response = client.get(f"/prompts/{made.id}/versions/1/export/json")
    assert "filename*=UTF-8''Gr%C3%B6%C3%9Fe-%E6%97%A5%E6%9C%AC%20v1.json" in response.headers["Content-Disposition"]


def test_two_versions_are_compared_word_by_word(client: FlaskClient, prompt: Prompt, chat: Prompt) -> None:
    page = client.get(f"/prompts/{prompt.id}/diff?a=1&b=2").text
    assert "<ins> in one word</ins>" in page
    assert "<del> &lt;script&gt;" in page
    assert "<del> in one word.</del>" in client.get(f"/prompts/{prompt.id}/diff?a=2&b=1").text
    assert "Both are version 2" in client.get(f"/prompts/{prompt.id}/diff?a=2&b=2").text
    assert client.get(f"/prompts/{prompt.id}/diff").status_code == 200
    assert "Both are version 1" in client.get(f"/prompts/{chat.id}/diff").text


def test_a_version_is_restored(client: FlaskClient, database: Database, prompt: Prompt) -> None:
    page = post(client, f"/prompts/{prompt.id}/versions/1/restore", follow_redirects=True).text
    assert "Version 1 is restored as version 3." in page
    assert saved(database, "support").versions[2].system_prompt.startswith("Answer. ")


def test_labels_are_set_moved_and_removed(client: FlaskClient, database: Database, prompt: Prompt) -> None:
    page = post(
        client, f"/prompts/{prompt.id}/labels", {"label": "production", "version": "1"}, follow_redirects=True
    ).text
    assert "production is version 1 now." in page
    post(client, f"/prompts/{prompt.id}/labels/remove", {"label": "production"})
    assert saved(database, "support").labels == []


@pytest.mark.parametrize(
    ("form", "field", "says"),
    [
        ({"label": "Big", "version": "1"}, "label", "not a possible label"),
        ({"label": "", "version": "1"}, "label", "not a possible label"),
        ({"label": "v3", "version": "1"}, "label", "already means"),
        ({"label": "staging", "version": "99"}, "version", "has no version"),
        ({"label": "staging", "version": "nothing"}, "version", "has no version"),
    ],
)
def test_a_wrong_label_is_explained(
    client: FlaskClient, prompt: Prompt, form: dict[str, str], field: str, says: str
) -> None:
    response = post(client, f"/prompts/{prompt.id}/labels", form)
    assert response.status_code == 422
    assert says in errors(response)[field]
    assert f'value="{form["version"]}"' in response.text


def test_name_and_description_change(client: FlaskClient, database: Database, prompt: Prompt, chat: Prompt) -> None:
    about = f"/prompts/{prompt.id}/about"
    assert "Mails" in client.get(about).text
    response = post(client, about, {"name": "chat", "description": "Kept"})
    assert response.status_code == 422
    assert "already" in errors(response)["name"]
    assert "Kept" in response.text
    post(client, about, {"name": "help", "description": "New", "category": "c", "tags": "x"})
    assert saved(database, "help").description == "New"


def test_an_exported_prompt_is_imported(client: FlaskClient, database: Database, prompt: Prompt) -> None:
    text = client.get(f"/prompts/{prompt.id}/versions/2/export/json").text
    upload = {"file": (io.BytesIO(text.encode()), "support.json"), "name": "copy"}
    response = post(client, "/prompts/import", upload, follow_redirects=True)
    assert "Imported as copy, version 1." in response.text
    again = post(client, "/prompts/import", {"text": text}, follow_redirects=True)
    assert "Imported as support, version 2." in again.text


@pytest.mark.parametrize(
    ("form", "field", "says"),
    [
        ({}, "file", "choose a file"),
        ({"text": "nonsense"}, "file", "this is no prompt"),
        ({"text": "{}"}, "file", "not a file exported from here"),
        ({"text": '{"format": "whetstone-prompt/1", "name": "x"}'}, "system_prompt", "write a system prompt"),
    ],
)
def test_a_wrong_import_is_explained(client: FlaskClient, form: dict[str, str], field: str, says: str) -> None:
    response = post(client, "/prompts/import", form)
    assert response.status_code == 422
    assert says in response.text
    assert form.get("text", "").replace('"', "&#34;") in response.text


def test_a_binary_import_is_explained(client: FlaskClient) -> None:
    response = post(client, "/prompts/import", {"file": (io.BytesIO(b"\xff\xfe\x00"), "x.json")})
    assert response.status_code == 422
    assert "not a UTF-8 text file" in errors(response)["file"]


def test_a_deleted_prompt_is_gone(client: FlaskClient, prompt: Prompt) -> None:
    page = post(client, f"/prompts/{prompt.id}/delete", follow_redirects=True).text
    assert "support is deleted." in page
    assert client.get(f"/prompts/{prompt.id}").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/prompts/999",
        "/prompts/1/versions/9",
        "/prompts/1/versions/1/export/xml",
        "/prompts/999/edit",
        "/prompts/1/diff?a=1&b=9",
    ],
)
def test_what_is_not_there_is_not_found(client: FlaskClient, prompt: Prompt, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 404
    assert "Traceback" not in response.text


@pytest.mark.parametrize(
    "address",
    ["/prompts?search=" + "x" * 300, "/prompts/1?show=odd", "/prompts/1/diff?a=x", "/prompts/1/versions/1?view=xml"],
)
def test_a_wrong_address_is_refused(client: FlaskClient, prompt: Prompt, address: str) -> None:
    assert client.get(address).status_code == 422


@pytest.mark.parametrize(
    "address", ["/prompts/1/labels", "/prompts/1/delete", "/prompts/new", "/prompts/1/versions/1/restore"]
)
def test_nothing_is_changed_without_the_csrf_mark(client: FlaskClient, prompt: Prompt, address: str) -> None:
    assert client.post(address, data={}).status_code == 400
