"""Model configs on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import PROMPTS, SAMPLE, TRAIN, Shell


def test_from_the_first_revision_to_the_end(shell: Shell, tmp_path: Path) -> None:
    words = ["--model", "openai/gpt-5-mini", "--param", "temperature=0.2", "--param", "verbosity=low"]
    made = shell("models", "set", "steady", *words, "--price-prompt", "1", "--price-completion", "2")
    assert "steady: revision 1" in made.stdout
    assert "temperature 0.2 is not sent" in made.stderr
    changed = shell.json(
        "models", "set", "steady", "--param", "temperature=", "--target-rpm", "9", "--price-cached", "0.5"
    )
    assert changed["revision"] == 2
    assert changed["params"] == {"verbosity": "low"}
    assert changed["price"] == {"prompt": 1.0, "completion": 2.0, "cached": 0.5}
    shown = shell.json("models", "show", "steady")
    assert [one["revision"] for one in shown["history"]] == [2, 1]
    assert "sent: verbosity=low" in shell("models", "show", "steady").stdout
    assert "steady\topenai/gpt-5-mini" in shell("models", "list").stdout
    assert "twin" in shell("models", "clone", "steady", "--as", "twin").stdout
    assert shell.json("models", "activate", "twin", "--off")["active"] is False
    assert shell.json("models", "activate", "twin")["active"] is True
    file = tmp_path / "models.json"
    file.write_text(shell("models", "export", "steady").stdout)
    shell("models", "delete", "steady")
    assert shell.json("models", "import", str(file))["created"] == ["steady"]
    shell("models", "delete", "twin")
    assert [one["name"] for one in shell.json("models", "list")] == ["steady"]
    assert len(json.loads(shell("models", "export").stdout)["configs"]) == 1


def test_what_is_wrong_is_named(shell: Shell, tmp_path: Path) -> None:
    assert shell.refused("models", "set", "x").keys() == {"model"}
    assert shell.refused("models", "set", "x", "--model", "openai/x", "--param", "top_p").keys() == {"params"}
    assert shell.refused("models", "set", "x", "--model", "openai/x", "--param", "top_p=much").keys() == {"top_p"}
    wrong = shell.refused("models", "set", "x", "--model", "openai/x", "--price-prompt", "-1")
    assert wrong.keys() == {"price_prompt", "price_completion"}
    assert "no model config called" in shell.refused("models", "show", "nothing")[""]
    assert shell.refused("models", "import", str(tmp_path / "gone")).keys() == {"file"}


def test_a_training_names_a_config(shell: Shell) -> None:
    shell("models", "set", "sim", "--model", "simulated/primary", "--param", "top_k=3")
    words = [word if word != "simulated/primary" else "config:sim" for word in TRAIN]
    words[words.index("support_intents")] = SAMPLE
    estimate = shell.json(*words, *PROMPTS, "--estimate")
    assert [(one["param"], one["action"]) for one in estimate["adjustments"]] == [("top_k", "drop")]
    shell("models", "set", "sim", "--price-prompt", "1000", "--price-completion", "3000")
    run = shell(*words, *PROMPTS, "--epochs", "1", "--yes", "--json")
    assert "note: primary model: top_k 3 is not sent" in run.stderr
    bill = shell.json("runs", "bill", json.loads(run.stdout)["run"])
    (primary,) = [line for line in bill["by_model"] if line["role"] == "primary"]
    assert primary["calls"] > 0
    assert primary["known_usd"] == pytest.approx(primary["prompt_tokens"] * 1e-3 + primary["completion_tokens"] * 3e-3)
    limited = shell(*words, *PROMPTS, "--budget-usd", "2", "--yes", "--no-cache", "--json", code=4)
    assert json.loads(limited.stdout)["cost_usd"] <= 2
