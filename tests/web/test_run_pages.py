"""The run pages show what the engine wrote, and hand over what a person wants."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.services import runs
from app.store.database import Database
from tests.web.conftest import World
from tests.web.seed import Seeded


def text(client: FlaskClient, path: str, status: int = 200) -> str:
    """The page's text; fails on another status."""
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return answer.get_data(as_text=True)


def test_home_leads_from_the_empty_database_to_the_first_step(client: FlaskClient) -> None:
    page = text(client, "/")
    assert "Bring examples" in page
    assert "Recent runs" not in page


def test_home_shows_runs_and_warns_when_nobody_works(client: FlaskClient, seeded: Seeded) -> None:
    page = text(client, "/")
    assert "Recent runs" in page
    assert "Runs are waiting." in page
    assert "Redis does not answer" in page


def test_the_empty_list_says_what_a_run_is(client: FlaskClient) -> None:
    assert "No runs yet" in text(client, "/runs")


def test_the_list_shows_every_run_as_simulated_and_filters(client: FlaskClient, seeded: Seeded) -> None:
    page = text(client, "/runs")
    assert page.count("badge simulated") == 5
    paused = text(client, "/runs?status=paused")
    assert "r2paused" in paused
    assert "r0finished" not in paused
    assert "r0finished" in text(client, "/runs?search=finished")
    assert "No run fits" in text(client, "/runs?search=nothing+like+it")
    assert "status" in text(client, "/runs?status=sleeping", 422)


def test_a_finished_run_opens_with_its_verdict(client: FlaskClient, seeded: Seeded) -> None:
    page = text(client, "/runs/r0finished")
    test = seeded.finished.outcome["test"]
    assert "Ship the new prompts" in page
    assert f"{test['initial']['mean']:.3f}" in page
    assert f"{test['final']['mean']:.3f}" in page
    assert f"+{test['paired']['delta']:.3f}" in page
    assert f"p = {test['paired']['p_value']:.3f}" in page
    assert "23 of 24 scored" in page
    assert "badge simulated" in page
    assert page.index("Ship the new prompts") < page.index("Score by epoch")
    assert "hx-sse:connect" not in page


def test_a_running_run_shows_progress_and_listens(client: FlaskClient, seeded: Seeded) -> None:
    page = text(client, "/runs/r1running")
    assert "Epoch 4: validating" in page
    assert "about 1\u202fmin 34\u202fs left" in page
    assert "41 of 96" in page
    assert 'hx-sse:connect="/runs/r1running/events?after=' in page


@pytest.mark.parametrize(
    ("run_id", "words"),
    [("r2paused", "the key was refused"), ("r3failed", "example 14 is missing"), ("r4queued", "Waiting for a worker.")],
)
def test_the_other_states_say_why(client: FlaskClient, seeded: Seeded, run_id: str, words: str) -> None:
    assert words in text(client, f"/runs/{run_id}")


def test_a_running_run_whose_worker_is_silent_says_so(client: FlaskClient, seeded: Seeded, database: Database) -> None:
    """Its lease is over: the worker was lost, or stands still because the database is away."""
    assert "Nothing is heard of its worker." not in text(client, "/runs/r1running")
    with database.session() as session:
        runs.get(session, "r1running").lease_until = 1.0
        session.commit()
    assert "Nothing is heard of its worker." in text(client, "/runs/r1running")


@pytest.mark.parametrize("name", ["head", "state", "proposals", "log_lines"])
def test_each_part_comes_alone(client: FlaskClient, seeded: Seeded, name: str) -> None:
    part = text(client, f"/runs/r1running/parts/{name}")
    assert "<html" not in part
    assert len(part) > 100


def test_an_unknown_part_is_not_found(client: FlaskClient, seeded: Seeded) -> None:
    text(client, "/runs/r1running/parts/heart", 404)


def test_the_curves_hold_baseline_best_and_test(client: FlaskClient, seeded: Seeded) -> None:
    figures = client.get("/runs/r0finished/curves.json").get_json()
    outcome = seeded.finished.outcome
    assert figures["epochs"] == [0, 1, 2, 3, 4, 5, 6]
    assert figures["train"][0] is None
    assert figures["baseline"] == outcome["validation"]["initial"]["mean"]
    assert figures["best"][-1] == outcome["validation"]["final"]["mean"]
    assert figures["test"]["final"] == outcome["test"]["final"]["mean"]
    assert [p["fate"] for p in figures["proposals"]].count("accepted") == 2


def test_a_proposal_shows_its_change_reasoning_and_scores(client: FlaskClient, seeded: Seeded) -> None:
    page = text(client, "/runs/r0finished/proposals/1")
    assert "<ins>" in page
    assert "Listing the topics fixes the wording." in page
    assert "Difference on validation" in page
    plain = text(client, "/runs/r0finished/proposals/1?view=plain")
    assert "<ins>" not in plain
    text(client, "/runs/r0finished/proposals/99", 404)
    assert "could not be read" in text(client, "/runs/r0finished/proposals/6")


def test_examples_filter_by_what_changed(client: FlaskClient, seeded: Seeded) -> None:
    paired = seeded.finished.outcome["test"]["paired"]
    everything = text(client, "/runs/r0finished/examples")
    assert everything.count("</tr>") - 1 == 24
    fixed = text(client, "/runs/r0finished/examples?show=fixed")
    assert fixed.count("</tr>") - 1 == len(paired["fixed"])
    broken = text(client, "/runs/r0finished/examples?show=broken")
    assert broken.count("</tr>") - 1 == len(paired["broken"])
    assert "timed out" in text(client, "/runs/r0finished/examples?show=unscored")
    assert "no proposal 77" in text(client, "/runs/r0finished/examples?a=77", 422)


def test_examples_wait_for_something_to_compare(client: FlaskClient, seeded: Seeded) -> None:
    assert "Nothing to compare yet" in text(client, "/runs/r4queued/examples")


def test_calls_page_by_page_and_only_the_failed_ones(client: FlaskClient, seeded: Seeded) -> None:
    first = text(client, "/runs/r0finished/calls")
    assert first.count("</tr>") - 1 == 50
    assert "Next page" in first
    failed = text(client, "/runs/r0finished/calls?show=errors")
    assert failed.count("timed out") == failed.count("</tr>") - 1 > 0


def test_a_call_shows_request_and_answer(client: FlaskClient, seeded: Seeded, database: Database) -> None:
    with database.session() as session:
        number = runs.calls(session, "r0finished", limit=1)[0].id
    page = text(client, f"/runs/r0finished/calls/{number}")
    assert "Asked, user" in page
    text(client, f"/runs/r1running/calls/{number}", 404)


def test_the_log_tells_every_decision_and_filters(client: FlaskClient, seeded: Seeded) -> None:
    page = text(client, "/runs/r0finished/log")
    assert "Baseline: the initial prompts score" in page
    assert "Sealed test:" in page
    warnings = text(client, "/runs/r0finished/log?show=warning")
    assert "malformed" in warnings
    assert "Sealed test:" not in warnings


def test_settings_are_in_words(client: FlaskClient, seeded: Seeded) -> None:
    page = text(client, "/runs/r0finished/settings")
    assert "simulated/primary, temperature 0, max output tokens 2048, seed 42" in page
    assert "Minimum improvement" in page


def test_pausing_resuming_and_stopping(
    post: Callable[..., TestResponse], seeded: Seeded, database: Database, queued: list[str]
) -> None:
    assert post("/runs/r1running/pause").status_code == 303
    assert post("/runs/r2paused/resume").status_code == 303
    assert queued == ["r2paused"]
    assert post("/runs/r4queued/stop").status_code == 303
    with database.session() as session:
        assert runs.get(session, "r1running").wish == "pause"
        assert runs.get(session, "r2paused").status == "queued"
        assert runs.get(session, "r4queued").status == "cancelled"


def test_a_button_with_scripts_gets_the_new_head(post: Callable[..., TestResponse], seeded: Seeded) -> None:
    answer = post("/runs/r1running/pause", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "pausing" in answer.get_data(as_text=True)


def test_what_cannot_be_done_now_is_a_conflict(post: Callable[..., TestResponse], seeded: Seeded) -> None:
    assert post("/runs/r0finished/pause").status_code == 409
    assert post("/runs/r0finished/resume").status_code == 409
    assert post("/runs/nope/pause").status_code == 404


def test_deleting_a_run(post: Callable[..., TestResponse], client: FlaskClient, seeded: Seeded) -> None:
    assert post("/runs/r0finished/delete").status_code == 303
    text(client, "/runs/r0finished", 404)


def test_renaming_names_the_field_when_it_is_wrong(
    post: Callable[..., TestResponse], client: FlaskClient, seeded: Seeded
) -> None:
    assert post("/runs/r0finished/rename", {"name": "topics, <b>again</b>"}).status_code == 303
    assert "topics, &lt;b&gt;again&lt;/b&gt;" in text(client, "/runs/r0finished")
    refused = post("/runs/r0finished/rename", {"name": ""})
    assert refused.status_code == 422
    assert 'id="name-error"' in refused.get_data(as_text=True)


def test_exports_and_report(client: FlaskClient, seeded: Seeded) -> None:
    table = client.get("/runs/r0finished/samples.csv")
    assert table.status_code == 200
    assert "attachment" in table.headers["Content-Disposition"]
    assert client.get("/runs/r0finished/samples.jsonl").get_data(as_text=True).startswith("{")
    report = client.get("/runs/r0finished/report.html")
    assert "simulated" in report.get_data(as_text=True).lower()
    assert "script" not in report.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in report.headers["Content-Security-Policy"]
    text(client, "/runs/r0finished/samples.exe", 404)


def test_the_run_folder_is_written_where_the_operator_said(
    post: Callable[..., TestResponse], client: FlaskClient, seeded: Seeded, world: World
) -> None:
    assert post("/runs/r0finished/folder").status_code == 303
    assert (world.folder / "experiments" / "r0finished" / "spec.json").is_file()
    assert "r0finished" in text(client, "/runs/r0finished")
