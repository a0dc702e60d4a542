"""Locked texts, length and the shorter prompt on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import TRAIN, Shell

IDLE = "Take a deep breath."
PROMPTS = [
    "--system-prompt",
    f"Classify the customer's message. {IDLE}",
    "--output-prompt",
    "Answer with the label only.",
]
OFFER = ["--shorten", "offer", "--shorten-margin", "0.4", "--epochs", "1", "--seed", "5"]


def test_a_shorter_prompt_is_offered_and_told(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "locked.txt"
    file.write_text("Answer with the label only.\n", "utf-8")
    result = shell.json(*TRAIN, *PROMPTS, *OFFER, "--locked", str(file))
    shorter = result["shorter"]
    assert shorter["tokens_after"] < shorter["tokens_before"]
    assert isinstance(shorter["usable"], bool)
    told = shell(*TRAIN, *PROMPTS, *OFFER, "--locked", "Answer with the label only.")
    length = f"(about {shorter['tokens_after']} tokens instead of {shorter['tokens_before']})"
    assert f"shorter: {shorter['sentence']} {length}" in told.stdout
    assert "sentences left out, after" in told.stderr
    shown = shell.json("runs", "show", result["run"])
    assert shown["spec"]["locked"] == ["Answer with the label only."]
    units = {unit["text"]: unit["fate"] for unit in shown["outcome"]["shortening"]["units"]}
    assert units["Answer with the label only."] == "fixed"
    assert "Answer with the label only." in shown["outcome"]["shortening"]["offer"]["output_prompt"]


def test_that_nothing_can_be_left_out_is_told_without_a_length(shell: Shell) -> None:
    told = shell(*TRAIN, *PROMPTS, *OFFER, "--shorten-margin", "0.001", "--shorten-answers", "64")
    assert told.exit_code == 0
    assert "shorter: No shorter prompts were found: nothing could be left out" in told.stdout
    assert "tokens instead of" not in told.stdout


def test_without_it_nothing_is_told(shell: Shell) -> None:
    assert shell.json(*TRAIN, *PROMPTS, "--epochs", "1", "--seed", "5")["shorter"] is None


@pytest.mark.parametrize(
    ("words", "field", "part"),
    [
        (["--locked", "Never said."], "locked", "does not stand in the initial prompts"),
        (["--shorten", "maybe"], "shorten", "'off' or 'offer'"),
        (["--shorten-margin", "2"], "shorten_margin", "less than or equal to 0.5"),
        (["--shorten", "offer", "--shorten-answers", "3"], "shorten_answers", "at least 64 are needed"),
        (["--max-prompt-tokens", "none"], "max_prompt_tokens", "valid integer"),
    ],
)
def test_what_is_wrong_is_told_at_its_option(shell: Shell, words: list[str], field: str, part: str) -> None:
    assert part in shell.refused(*TRAIN, *PROMPTS, *words)[field]
