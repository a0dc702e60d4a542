"""The compare page: versions of a run, or of several runs, with what differs; and measuring versions on a dataset."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from app.services import prompts, runs
from app.store.database import Database
from tests.faults.kinds import dataset, drive_to_end
from tests.web.forms import errors, post
from tests.web.seed import Seeded


def page(client: FlaskClient, query: str, status: int = 200) -> str:
    """The page's text."""
    answer = client.get(f"/compare{query}")
    assert answer.status_code == status
    return answer.get_data(as_text=True)


def test_without_a_choice_it_asks_for_one(client: FlaskClient, seeded: Seeded) -> None:
    assert "Choose two" in page(client, "")
    assert "Choose two" in page(client, "?of=r0finished")


def test_two_versions_of_one_run(client: FlaskClient, seeded: Seeded) -> None:
    shown = page(client, "?of=r0finished:0&of=r0finished")
    delta = seeded.finished.outcome["test"]["paired"]["delta"]
    assert f"It is better by {delta:.3f} on 23 shared examples" in shown
    assert "<ins>" in shown
    assert "only the prompts differ" in shown
    assert "95 % within" in shown
    assert page(client, "?a=r0finished:0&b=r0finished") == shown
    fixed = page(client, "?of=r0finished:0&of=r0finished&show=fixed")
    assert fixed.count(">fixed</span>") == len(seeded.finished.outcome["test"]["paired"]["fixed"])


def test_validation_says_that_it_flatters(client: FlaskClient, seeded: Seeded) -> None:
    assert "Validation chose between proposals" in page(client, "?of=r0finished:0&of=r0finished&split=validation")


def test_several_runs_stand_side_by_side_and_can_be_taken_out(client: FlaskClient, seeded: Seeded) -> None:
    shown = page(client, "?of=r0finished&of=r1running&of=r2paused:0")
    assert "bank messages, running" in shown
    assert shown.count("Make first") == 2
    assert shown.count("Take out") == 3
    assert 'href="/compare?of=r1running:3&amp;of=r0finished:' in shown.replace("%3A", ":") or "Make first" in shown


def test_a_wrong_choice_is_named_beside_its_field(client: FlaskClient, seeded: Seeded) -> None:
    for side in ("nope", "r0finished:77", "r3failed", "r0finished:x"):
        shown = page(client, f"?of={side}&of=r0finished", 422)
        assert 'id="of-0-error"' in shown, side
        assert side in shown
    many = "&".join(f"of=r0finished:{n}" for n in range(9))
    assert "at most 8 versions" in page(client, f"?{many}", 422)
    assert page(client, "?of=r0finished&of=r1running&show=odd", 422)


FORM: dict[str, Any] = {
    "version": ["text 0", "text 1@1", ""], "part": "validation", "split": "50/30/20", "primary_model": "simulated/primary",
    "scorer": "exact_match", "cache": "off", "once": "0123456789",
}  # fmt: skip


@pytest.fixture
def form(database: Database) -> dict[str, Any]:
    """A comparison that can start."""
    with database.session() as session:
        for number, text in enumerate(("Classify the message.", "Classify the message. Be brief.")):
            prompts.create(session, f"text {number}", kind="pair", system_prompt=text)
        return FORM | {"dataset": dataset(session)}


def test_versions_are_measured_on_a_dataset(
    client: FlaskClient, database: Database, queued: list[str], form: dict[str, Any]
) -> None:
    assert "text 1, version 1" in client.get("/comparisons/new?version=text 0&version=text 1@1").text
    assert "<dt>Calls</dt><dd>24</dd>" in post(client, "/comparisons/estimate", form).text
    for _ in range(2):  # the same form sent twice is one run
        assert post(client, "/comparisons/new", form).status_code == 303
    assert queued == ["0123456789"] * 2
    waiting = client.get("/runs/0123456789")
    assert "as soon as a worker has begun" in waiting.text
    with database.session() as session:
        drive_to_end(session, "0123456789")
        run = runs.get(session, "0123456789")
    shown = client.get(f"/runs/{run.id}").text
    assert "text 0, version 1" in shown
    assert "Difference from the first" in shown
    assert "Epochs" not in shown
    for tab in ("examples", "examples?show=fixed", "calls", "bill", "log", "settings", "report.html", "samples.csv"):
        assert client.get(f"/runs/{run.id}/{tab}").status_code == 200, tab
    assert run.id in client.get("/runs?kind=compare").text
    assert client.get(f"/compare?of={run.id}:0&of={run.id}:1&split=validation").text.count("<ins>") >= 1
    assert "text 1@1" in client.get(f"/comparisons/new?from={run.id}").text
    assert client.get("/comparisons/new?from=nope").status_code == 404


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(
    client: FlaskClient, queued: list[str], form: dict[str, Any]
) -> None:
    wrong = {"version": ["", "text 0", "gone<b>"], "split": "x", "scorer": "odd:<b>", "name": "mine"}
    sent = post(client, "/comparisons/new", form | wrong)
    assert sent.status_code == 422
    assert {"version-2", "split", "scorer"} <= set(errors(sent))
    for kept in ("gone&lt;b&gt;", "odd:&lt;b&gt;", 'value="mine"'):
        assert kept in sent.text
    added = post(client, "/comparisons/new", form | {"do": "add"})
    assert added.text.count('name="version"') == 4
    assert queued == []
