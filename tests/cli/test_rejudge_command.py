"""``whetstone runs rejudge``."""

from __future__ import annotations

import pytest

from app import wiring
from tests.cli.conftest import Shell
from tests.services.rejudge_world import finished


@pytest.fixture(scope="module")
def run_id(shell: Shell) -> str:
    with wiring.database().session() as session:
        return finished(session).id


def test_a_training_is_judged_again_here(shell: Shell, run_id: str) -> None:
    assert "nothing is missing" in shell("runs", "rejudge", run_id, "--estimate").stdout
    found = shell.json("runs", "rejudge", run_id, "--seed", "3", "--missing", "buy", "--estimate")
    assert found["answers_low"] > 0
    result = shell.json("runs", "rejudge", run_id, "--acceptance", "confidence", "--scorer", "contains", "--here")
    assert (result["status"], result["verdict"], result["calls"]) == ("done", "would_keep", 0)
    assert result["sentence"].startswith("Exploratory: ")
    shown = shell("runs", "show", result["run"]).stdout
    assert "kind        rejudge" in shown
    assert shell("runs", "report", result["run"], "--output", "/dev/null").exit_code == 0


def test_it_is_queued_for_a_worker_otherwise(shell: Shell, run_id: str) -> None:
    made = shell.json("runs", "rejudge", run_id)
    assert made["status"] == "queued"
    assert made["hinted"] is False


def test_wrong_rules_are_refused(shell: Shell, run_id: str) -> None:
    assert "missing" in shell.refused("runs", "rejudge", run_id, "--missing", "steal")
    assert "alpha" in shell.refused("runs", "rejudge", run_id, "--alpha", "9")
    assert "There is no run" in shell.refused("runs", "rejudge", "nothing")[""]
