"""What runs cost, and what becomes of calls that were cut off, at the terminal."""

from __future__ import annotations

from typing import Any

import pytest

from app import wiring
from app.services import runs
from app.store.models import CallRow, Run
from tests.cli.conftest import PROMPTS, TRAIN, Shell


@pytest.fixture
def asking(shell: Shell) -> str:
    """The id of a paused run that asks about one call."""
    result = shell.json(*TRAIN, *PROMPTS, "--epochs", "1", "--no-cache", "--on-uncertain", "ask", "--seed", "8")
    run_id: str = result["run"]
    with wiring.database().session() as session:
        run = session.get_one(Run, run_id)
        run.status, run.spent, run.resume_at = "paused", None, 4e9
        session.query(CallRow).where(CallRow.run_id == run_id).first().settled = False
        session.commit()
    return run_id


def test_the_bill_is_shown_by_model(shell: Shell, trained: dict[str, Any]) -> None:
    bill = shell.json("runs", "bill", trained["run"])
    assert (bill["calls"], bill["cost_usd"]) == (trained["calls"], trained["cost_usd"])
    said = shell("runs", "bill", trained["run"]).stdout
    assert f"spent: {trained['calls']:,} calls" in said
    assert "(simulated)" in said
    assert "primary\tsimulated/primary\t" in said
    assert "simulated/primary\tno limit\t" in said
    assert "no run nope" in shell.refused("runs", "bill", "nope")[""]


def test_the_bill_says_what_is_not_known(shell: Shell, asking: str) -> None:
    said = shell("runs", "bill", asking).stdout
    assert "between $" in said
    assert "1 sending of unknown fate" in said


def test_spending_is_shown_with_the_dearest_runs(shell: Shell, trained: dict[str, Any]) -> None:
    spent = shell.json("spend", "--days", "2")
    assert spent["real"]["calls"] == 0
    assert trained["run"] in [one["run"] for one in spent["simulated"]["runs"]]
    said = shell("spend").stdout
    assert "Simulated money: " in said
    assert "Real money" not in said
    assert f"{trained['run']} " in said
    assert "days" in shell.refused("spend", "--days", "0")


def test_a_run_that_asks_is_resumed_with_an_answer(shell: Shell, asking: str) -> None:
    shown = shell("runs", "show", asking).stdout
    assert "by itself at 2096-10-02T07:06:40Z" in shown
    assert "1 call cut off after sending; resume with --uncertain" in shown
    assert "1 call was cut off" in shell.refused("runs", "resume", asking)["uncertain"]
    assert "perhaps" in shell.refused("runs", "resume", asking, "--uncertain", "perhaps")["uncertain"]
    assert shell.json("runs", "resume", asking, "--uncertain", "repeat", "--here")["status"] == "done"
    with wiring.database().session() as session:
        totals = runs.totals(session, asking)
    assert (totals.uncertain_calls, totals.open_calls) == (1, 0)


def test_wrong_call_options_are_refused_by_field(shell: Shell) -> None:
    wrong = shell.refused(*TRAIN, *PROMPTS, "--target-rpm", "-3", "--on-uncertain", "hope")
    assert set(wrong) == {"target_rpm", "on_uncertain"}


def test_call_options_reach_the_run(shell: Shell) -> None:
    result = shell.json(
        *TRAIN, *PROMPTS, "--epochs", "1", "--no-cache", "--target-rpm", "90000", "--on-uncertain", "skip"
    )
    spec = shell.json("runs", "show", result["run"])["spec"]
    assert (spec["cache"], spec["calls"]["on_uncertain"], spec["calls"]["target_rpm"]) == ("off", "skip", 90_000)
    assert "90000\t" in shell("runs", "bill", result["run"]).stdout
