"""``whetstone plan``, and the price stop of ``whetstone train``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import MODELS, PROMPTS, TRAIN, Shell

PLAN = ["plan", "--dataset", "support_intents", *MODELS, *PROMPTS]


def test_a_plan_says_what_the_data_can_show_and_what_the_training_takes(shell: Shell) -> None:
    result = shell.json(*PLAN, "--pilot-examples", "8")
    assert (result["status"], result["simulated"], result["verdict"]) == ("done", True, "too_small")
    assert result["pilot"]["examples"] == result["pilot"]["flips"]["n"] == 8
    assert result["calls"] + result["cached_calls"] == 16
    assert result["expected"]["calls"][0] < result["expected"]["calls"][1]
    said = shell(*PLAN, "--pilot-examples", "8")
    assert f"plan: {result['sentence']}" in said.stdout
    assert all(f"  - {text}" in said.stdout for text in result["advice"])
    assert "(simulated models)" in said.stdout
    assert "the training may take" in said.stdout
    assert "pilot: 8 of 96 train examples, each asked 2 times" in said.stderr


def test_it_names_the_split_that_would_do(shell: Shell) -> None:
    result = shell.json(*PLAN, "--worth-points", "20")
    assert result["verdict"] == "resplit"
    said = shell(*PLAN, "--worth-points", "20").stdout
    assert f"whetstone train ... --split {'/'.join(map(str, result['split']))}" in said


def test_it_is_listed_shown_and_exported_like_any_run(shell: Shell, tmp_path: Path) -> None:
    run = shell.json(*PLAN)["run"]
    assert [row["id"] for row in shell.json("runs", "list", "--kind", "plan", "--limit", "1")] == [run]
    assert run not in shell("runs", "list", "--kind", "train").stdout
    assert "plan" in shell("runs", "show", run).stdout
    assert shell.json("runs", "watch", run)["verdict"] == "too_small"
    assert "primary" in shell("runs", "bill", run).stdout
    shell("runs", "report", run, "--output", str(tmp_path / "report.html"))
    assert "What to make of it" in (tmp_path / "report.html").read_text()
    shell("runs", "export", run, "--output", str(tmp_path / "out"))
    assert list((tmp_path / "out").rglob("samples.csv"))


@pytest.mark.parametrize(
    ("option", "field"),
    [
        (["--worth-points", "100"], "worth_points"),
        (["--pilot-examples", "1"], "pilot_examples"),
        (["--stop-above-usd-per-point", "0"], "stop_above_usd_per_point"),
        (["--no-wait"], "no_wait"),
    ],
)
def test_what_makes_no_sense_is_refused(shell: Shell, option: list[str], field: str) -> None:
    assert field in shell.refused(*PLAN, *option)


def test_a_file_with_one_row_is_refused_before_anything_is_asked(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("input,answer\na,b\n")
    errors = shell.refused("plan", "--dataset", str(tmp_path / "one.csv"), *MODELS, *PROMPTS)
    assert "one row" in errors["dataset"]


def test_a_plan_that_was_left_to_a_worker_waits(shell: Shell) -> None:
    left = shell.json(*PLAN, "--queue", "--no-wait")
    assert (left["status"], left["hinted"]) == ("queued", False)
    shell("runs", "cancel", left["run"])


def test_a_budget_that_is_too_small_gives_no_plan(shell: Shell) -> None:
    result = shell.json(*PLAN, "--budget-calls", "3", "--no-cache", "--seed", "77")
    assert (result["status"], result["verdict"], result["expected"]) == ("done", "unknown", None)
    assert "the limit of 3 calls" in result["sentence"]


def test_a_training_says_that_a_further_point_is_too_dear(shell: Shell) -> None:
    words = [*TRAIN, *PROMPTS, "--seed", "6", "--stop-above-usd-per-point", "1e-9"]
    result = shell.json(*words)
    assert result["stopped_by"] == "not_worth"
    assert f"stopped: {result['stopped_why']}" in shell(*words).stdout


def test_replies_of_earlier_runs_do_not_change_what_is_too_dear(shell: Shell) -> None:
    words = [*TRAIN, *PROMPTS, "--seed", "9", "--stop-above-usd-per-point", "1e-9"]
    bought, remembered = shell.json(*words), shell.json(*words)
    assert remembered["cost_usd"] == 0
    assert remembered["stopped_why"] == bought["stopped_why"]
    assert remembered["final"] == bought["final"]


def test_the_estimate_says_what_the_test_can_show(shell: Shell) -> None:
    estimate = shell.json(*TRAIN, *PROMPTS, "--estimate")
    assert estimate["detectable_validation"] == pytest.approx(0.2476, abs=1e-3)
    assert (
        estimate["detectable_test"] >= estimate["detectable_validation"]
    )  # more, where runs have read the test before
    said = shell(*TRAIN, *PROMPTS, "--estimate").stdout
    assert f"the test can show improvements from about {100 * estimate['detectable_test']:.0f} points on" in said
