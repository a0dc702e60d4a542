from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from app import wiring
from app.config import ROOT
from tests.cli.conftest import PROMPTS, TRAIN, Shell


def test_a_training_says_how_it_came_out(shell: Shell, trained: dict[str, Any]) -> None:
    assert trained["status"] == "done"
    assert trained["simulated"] is True
    assert trained["verdict"] in ("ship", "keep", "indecisive")
    assert trained["delta"] == pytest.approx(trained["final"] - trained["baseline"])
    assert trained["interval"][0] <= trained["delta"] <= trained["interval"][1]
    assert 0 <= trained["p_value"] <= 1
    assert trained["calls"] > 100
    assert trained["tokens"] > 1000
    assert trained["cost_usd"] > 0


def test_the_same_seed_gives_the_same_result(shell: Shell, trained: dict[str, Any]) -> None:
    again = shell.json(*TRAIN, *PROMPTS, "--seed", "5", "--no-cache")
    assert {**again, "run": ""} == {**trained, "run": ""}


def test_the_same_training_again_costs_nothing(shell: Shell, trained: dict[str, Any]) -> None:
    again = shell.json(*TRAIN, *PROMPTS, "--seed", "5")
    spent = ("calls", "tokens", "cost_usd", "cost_high_usd", "cached_calls", "saved_usd", "run")
    assert {name: value for name, value in again.items() if name not in spent} == {
        name: value for name, value in trained.items() if name not in spent
    }
    assert (again["calls"], again["cost_usd"]) == (0, 0)
    assert again["cached_calls"] == trained["calls"] + trained["cached_calls"]
    assert again["saved_usd"] == pytest.approx(trained["cost_usd"] + trained["saved_usd"])
    said = shell(*TRAIN, *PROMPTS, "--seed", "5").stdout
    assert f"spent: 0 calls (and {again['cached_calls']:,} replies from the cache), 0 tokens, $0.0000" in said


def test_the_gate_decides_the_exit_code(shell: Shell) -> None:
    result = shell.json(*TRAIN, *PROMPTS, "--epochs", "1", "--min-improvement", "0.99", code=3)
    assert result["gate"] == {"min_improvement": 0.99, "met": False}
    said = shell(*TRAIN, *PROMPTS, "--epochs", "1", "--min-improvement", "-1")
    assert "gate: at least -1.000: met" in said.stdout
    assert "(simulated models)" in said.stdout
    assert "simulated" in said.stderr
    assert "baseline: validation" in said.stderr


def test_a_spent_budget_ends_with_its_own_code(shell: Shell) -> None:
    result = shell.json(*TRAIN, *PROMPTS, "--budget-calls", "40", code=4)
    assert result["stopped_by"] == "budget"
    assert result["calls"] <= 40


def test_prompts_and_datasets_may_be_files(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "system.txt").write_text("Classify it.\n")
    (tmp_path / "small.csv").write_text("input,answer\n" + "".join(f"text {n},{'ab'[n % 2]}\n" for n in range(40)))
    words = ["--primary-model", "simulated/primary", "--strategy", "example_addition", "--epochs", "1"]
    result = shell.json(
        "train", "--dataset", str(tmp_path / "small.csv"), "--system-prompt", str(tmp_path / "system.txt"), *words
    )
    spec = shell.json("runs", "show", result["run"])["spec"]
    assert spec["system_prompt"] == "Classify it."
    assert spec["dataset"]["name"] == "small"


def test_an_estimate_starts_nothing(shell: Shell) -> None:
    before = len(shell.json("runs", "list"))
    estimate = shell.json(*TRAIN, *PROMPTS, "--estimate")
    assert 0 < estimate["calls_low"] <= estimate["calls_high"]
    assert len(shell.json("runs", "list")) == before


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        (["--epochs", "0"], {"epochs"}),
        (["--epochs", "many", "--batch-size", "-1", "--temperature", "9"], {"epochs", "batch_size", "temperature"}),
        (["--split", "100/0/0"], {"split"}),
        (["--split", "half"], {"split"}),
        (["--scorer", "vibes"], {"scorer"}),
        (["--scorer", "numeric:tolerance=x"], {"scorer"}),
        (["--strategy", "luck"], {"strategy"}),
        (["--primary-model", "nobody/nothing"], {"primary_model"}),
        (["--primary-model", "openai/gpt-5-mini"], {"primary_model"}),
        (["--primary-model", "openai/x", "--api-base", "http://127.0.0.1:1/v1"], {"api_base"}),
        (["--system-prompt", "Use {{tone}}."], {"system_prompt"}),
        (["--budget-usd", "-1"], {"budget_usd"}),
        (["--dataset", "nope"], {"dataset"}),
        (["--no-wait"], {"no_wait"}),
        (["--min-improvement", "much"], {"gate"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_training_is_refused_by_field(shell: Shell, words: list[str], fields: set[str]) -> None:
    assert set(shell.refused(*TRAIN, *PROMPTS, *words)) == fields


def test_a_training_without_prompts_is_refused(shell: Shell) -> None:
    assert "system_prompt" in shell.refused(*TRAIN)


def test_a_costly_training_asks_first(shell: Shell) -> None:
    words = [*TRAIN, *PROMPTS, "--epochs", "1000", "--batch-size", "1000", "--patience", "1000"]
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("WHETSTONE_BUDGET_CONFIRM_USD", "0.01")
        wiring.settings.cache_clear()
        try:
            assert "--yes" in shell.refused(*words)["yes"]
        finally:
            wiring.settings.cache_clear()


def test_a_queued_training_waits_when_redis_is_away_and_can_be_steered(shell: Shell) -> None:
    queued = shell.json(*TRAIN, *PROMPTS, "--queue", "--no-wait", "--name", "later")
    assert queued == {"run": queued["run"], "status": "queued", "hinted": False}
    run = queued["run"]
    assert shell.json("runs", "pause", run)["status"] == "paused"
    assert shell.json("runs", "resume", run)["status"] == "queued"
    assert shell.json("runs", "cancel", run)["status"] == "cancelled"
    assert "cannot be resumed" in shell.refused("runs", "resume", run)[""]
    assert shell.json("runs", "watch", run, code=4)["status"] == "cancelled"
    assert [row["name"] for row in shell.json("runs", "list", "--search", "later")] == ["later"]


def test_a_paused_run_is_finished_in_place(shell: Shell) -> None:
    run = shell.json(*TRAIN, *PROMPTS, "--epochs", "1", "--queue", "--no-wait")["run"]
    shell("runs", "pause", run)
    assert shell.json("runs", "resume", run, "--here")["status"] == "done"


def test_ctrl_c_pauses_a_training_in_the_foreground(shell: Shell) -> None:
    command = [sys.executable, "-m", "app.cli", *TRAIN, *PROMPTS, "--concurrency", "1", "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith("baseline"):
                break
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=30)
    result = json.loads(printed)
    assert (process.returncode, result["status"]) == (4, "paused")
    assert shell.json("runs", "resume", result["run"], "--here")["status"] == "done"
