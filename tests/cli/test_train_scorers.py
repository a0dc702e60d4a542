"""Scorers with files on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import wiring
from tests.cli.conftest import PROMPTS, TRAIN, Shell

CODE = "def score(input, reference, response):\n    return {'score': float(reference in response), 'feedback': 'Say it.'}\n"
SHORT = [*TRAIN, *PROMPTS, "--epochs", "1", "--strategy", "example_addition", "--batch-size", "8"]


@pytest.fixture
def allowed(shell: Shell) -> Iterator[Shell]:
    """A shell where the operator allows code, with enough time for a busy machine."""
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("WHETSTONE_ALLOW_CODE", "true")
        environ.setenv("WHETSTONE_CODE_TIMEOUT_S", "60")
        wiring.settings.cache_clear()
        yield shell
    wiring.settings.cache_clear()


def test_a_training_by_a_python_file(allowed: Shell, tmp_path: Path) -> None:
    file = tmp_path / "my score.py"
    file.write_text(CODE)
    result = allowed.json(*SHORT, "--scorer", f"python:file={file},weight=2", "--scorer", "rouge_l")
    assert result["status"] == "done"
    spec = allowed.json("runs", "show", result["run"])["spec"]
    assert spec["scorers"][0] == {"name": "python", "file": CODE.removesuffix("\n"), "weight": 2.0}


def test_what_is_wrong_with_a_python_file_is_said(allowed: Shell, tmp_path: Path) -> None:
    file = tmp_path / "score.py"
    assert "there is no file" in allowed.refused(*SHORT, "--scorer", f"python:file={file}")["scorer"]
    file.write_text("def score(")
    assert "not valid Python" in allowed.refused(*SHORT, "--scorer", f"python:file={file}")["scorer"]
    file.write_bytes(b"\xff\xfe")
    assert "cannot be read as text" in allowed.refused(*SHORT, "--scorer", f"python:file={file}")["scorer"]
    file.write_text("x = 1")
    assert "no function score" in allowed.refused(*SHORT, "--scorer", f"python:file={file}")["scorer"]


def test_code_is_refused_where_it_is_not_allowed(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "score.py"
    file.write_text(CODE)
    assert "allow_code" in shell.refused(*SHORT, "--scorer", f"python:file={file}")["scorer"]


def test_a_training_by_a_judge(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "criteria.txt").write_text("The label, and nothing else.\n")
    rubric = ["--scorer", f"rubric:criteria={tmp_path / 'criteria.txt'}", "--judge-model", "simulated/judge"]
    result = shell.json(*SHORT, *rubric)
    assert (result["status"], result["simulated"]) == ("done", True)
    spec = shell.json("runs", "show", result["run"])["spec"]
    assert spec["scorers"][0]["criteria"] == "The label, and nothing else."
    assert set(shell.refused(*SHORT, "--scorer", "rubric", "--judge-model", "openai/gpt-5-mini")) == {"judge_model"}
