"""``whetstone benchmark``, ``review``, ``rank``, ``analyze`` and ``reviews``."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Shell

MODELS = ["--model", "simulated/primary", "--model", "simulated/writer", "--reviewer-model", "simulated/judge"]


@pytest.fixture(scope="module")
def ran(shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> Any:
    file = tmp_path_factory.mktemp("prompts") / "prompts.jsonl"
    rows = ["Plan a picnic near a river.", "Describe a market in spring.", "Name three rivers."]
    file.write_text("\n".join(json.dumps({"turns": [text, "And now?"]}) for text in rows))
    return shell.json("benchmark", "--file", str(file), "--first", "2", "--runs", "2", *MODELS)


def test_a_benchmark_is_run_here_and_told(shell: Shell, ran: Any) -> None:
    assert (ran["status"], ran["verdict"], ran["runs"]) == ("done", "reviewed", {"done": 2, "asked": 2})
    assert {row["reviews"] for row in ran["standings"]} == {4}
    said = shell("benchmark", "--text", "Say one.", *MODELS)
    assert "AI SCORE" in said.stdout
    assert "run 1 ends" in said.stderr
    assert "estimate:" in said.stderr


def test_it_is_estimated_and_gated(shell: Shell) -> None:
    assert shell.json("benchmark", "--text", "Say one.", *MODELS, "--estimate")["calls_low"] == 3
    gated = shell.json("benchmark", "--text", "Say one.", *MODELS, "--min-score", "10.5", code=3)
    assert gated["gate"] == {"min_score": 10.5, "met": False}


def test_a_person_ranks_and_the_analysis_counts_it(shell: Shell, ran: Any, tmp_path: Path) -> None:
    saved = shell.json("rank", ran["run"], "p1", "--ranker", "ada", "--order", "simulated/writer > simulated/primary")
    assert saved["places"] == {"simulated/writer": 1, "simulated/primary": 2}
    assert (
        "saved another ranking"
        in shell.refused(
            "rank", ran["run"], "p1", "--ranker", "ada", "--order", "simulated/writer = simulated/primary"
        )[""]
    )
    tied = ("--order", "simulated/writer = simulated/primary", "--replace")
    assert (
        "1. simulated/primary, 1. simulated/writer" in shell("rank", ran["run"], "p1", "--ranker", "ada", *tied).stdout
    )
    out = tmp_path / "results.csv"
    found = shell.json("analyze", ran["run"], "--export", str(out), "--quality", "100", "--speed", "0", "--cost", "0")
    assert found["agreement"]["rankings"] == 1
    assert found["recommendation"]["confidence"] in ("medium", "high")
    with out.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2 * 2 * 2
    other = next(one["config"] for one in found["configs"] if one["config"] != found["recommendation"]["config"])
    told = shell("analyze", ran["run"], "--quality", "100", "--speed", "0", "--cost", "0", "--expect", other, code=3)
    assert "recommended:" in told.stdout


@pytest.mark.parametrize(
    ("order", "told"),
    [("nobody > simulated/writer", "no answer of 'nobody'"), ("simulated/writer > simulated/writer", "stands twice")],
)
def test_an_order_that_makes_no_sense_is_refused(shell: Shell, ran: Any, order: str, told: str) -> None:
    assert told in shell.refused("rank", ran["run"], "p1", "--ranker", "x", "--order", order)["order"]


def test_nobody_is_asked_where_nobody_is(shell: Shell, ran: Any) -> None:
    assert "nobody can be asked" in shell.refused("rank", ran["run"], "p1", "--ranker", "x")["order"]


def test_the_same_answers_are_reviewed_again_from_the_cache(shell: Shell, ran: Any) -> None:
    again = shell.json("review", ran["run"], "--review-prompt", "review/instructions")
    assert again["cached_calls"] >= 8
    assert again["calls"] <= 4
    assert again["run"] != ran["run"]
    trained = shell.json("runs", "list", "--kind", "benchmark")
    assert {again["run"], ran["run"]} <= {run["id"] for run in trained}


def test_it_is_listed_shown_and_exported_like_any_run(shell: Shell, ran: Any, tmp_path: Path) -> None:
    assert "benchmark" in shell("runs", "show", ran["run"]).stdout
    assert shell.json("runs", "watch", ran["run"])["verdict"] == "reviewed"
    shell("runs", "export", ran["run"], "--output", str(tmp_path))
    assert list(tmp_path.rglob("results.csv"))


def test_review_prompts(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "mine.md"
    file.write_text("{{original_prompt}} {{num_configs}} {{all_responses}}")
    assert len(shell.json("reviews", "save", "review/mine", "--template", str(file), "--check")) == 2
    saved = shell.json("reviews", "save", "review/mine", "--template", str(file), "--settings", '{"scale": [1, 5]}')
    assert saved["version"] == 1
    assert "all_responses" in shell("reviews", "show", "review/mine").stdout
    assert shell.json("reviews", "duplicate", "review/mine", "--as", "review/other")["name"] == "review/other"
    assert "review/other" in shell("reviews", "list").stdout
    shell("reviews", "delete", "review/other")
    file.write_text("nothing")
    assert "must occur" in shell.refused("reviews", "save", "review/bad", "--template", str(file))["template"]
