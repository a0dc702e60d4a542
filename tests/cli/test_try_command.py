"""``whetstone try``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Shell

TRY = ["try", "--model", "simulated/primary", "--model", "simulated/optimizer"]


def test_the_answers_stand_side_by_side_with_what_they_took(shell: Shell, tmp_path: Path) -> None:
    text = tmp_path / "input.txt"
    text.write_text("Where is\nmy parcel?\n")
    result = shell.json(*TRY, "--system-prompt", "Name the {{what}}.", "--var", "what=topic", str(text))
    assert [one["state"] for one in result["answers"]] == ["answered", "answered"]
    assert (result["status"], result["simulated"], result["calls"]) == ("done", True, 2)
    said = shell(*TRY, "hello")
    assert said.stdout.count("== simulated/") == 2
    assert "up to about $" in said.stderr
    assert "simulated" in said.stderr
    assert result["run"] in shell("runs", "list", "--kind", "try").stdout
    assert shell.json("runs", "watch", result["run"])["answers"] == result["answers"]


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["try", "hello"], "models"),
        ([*TRY], "input"),
        ([*TRY, "--model", "simulated/primary", "hello"], "models"),
        ([*TRY, "--var", "what", "hello"], "var"),
        ([*TRY, "--max-output-tokens", "1000000", "--model", "simulated/judge", "hello"], "yes"),
    ],
)
def test_what_makes_no_sense_is_refused(shell: Shell, words: list[str], field: str) -> None:
    assert field in shell.refused(*words)
