"""Providers at the terminal: keys come from stdin and never out again; a test of a server has an exit code."""

from __future__ import annotations

from click.testing import CliRunner

from app.cli import cli
from tests.cli.conftest import Shell
from tests.fakes.openai_server import OpenAIServer

KEY = "sk-canary-2236067977499789"


def typed(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli, list(words), input=KEY + "\n")
    assert result.exit_code == code, result.output
    assert KEY not in result.output
    return result.output


def test_a_server_and_keys_at_the_terminal(shell: Shell) -> None:
    with OpenAIServer(api_key=KEY) as fake:
        typed("providers", "set", "lab", "--base-url", fake.url + "/v1", "--key")
        tested = shell.json("providers", "test", "lab")
        assert [step["ok"] for step in tested["test"]] == [True] * 4
        assert "stream     yes" in shell("providers", "test", "lab").stdout
        shell("providers", "set", "lab", "--no-key")
        refused = shell("providers", "test", "lab", "--model", "rule", code=1).stdout
        assert "wants a key" in refused
    assert shell.json("providers", "servers")[0]["models"] == []
    assert "base_url" in shell.refused("providers", "set", "other")
    shell("providers", "remove", "lab")
    assert shell.json("providers", "servers") == []

    typed("providers", "key", "openai")
    assert "a key was entered here" in shell("providers", "list").stdout
    assert shell.json("providers", "reseal") == {"resealed": 1, "unreadable": 0}
    shell("providers", "key", "openai", "--remove")
    assert "a key was entered here" not in shell("providers", "list").stdout
