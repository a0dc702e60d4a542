"""A terminal in a data folder of its own, and what is typed most."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app import wiring
from app.cli import cli
from app.config import ROOT

SAMPLE = str(ROOT / "data/samples/support_intents.csv")
MODELS = ["--primary-model", "simulated/primary", "--optimizer-model", "simulated/optimizer"]
TRAIN = ["train", "--dataset", "support_intents", *MODELS, "--epochs", "3"]
PROMPTS = ["--system-prompt", "Classify the customer's message.", "--output-prompt", "Answer with the label."]


class Shell:
    """A terminal in a data folder of its own."""

    def __call__(self, *words: str, code: int = 0) -> Result:
        """What a command prints; it must exit with the code."""
        result = CliRunner().invoke(cli, list(words))
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, (words, result.output)
        return result

    def json(self, *words: str, code: int = 0) -> Any:
        """The same with --json, read."""
        return json.loads(self(*words, "--json", code=code).stdout)

    def refused(self, *words: str, code: int = 2) -> dict[str, str]:
        """The errors of a refused command by field, as JSON says them; the plain ones must say the same."""
        plain = self(*words, code=code)
        assert plain.stdout == ""
        assert all(line.startswith("error: ") for line in plain.stderr.splitlines())
        answer = self(*words, "--json", code=code)
        assert answer.stdout == ""
        errors = {error["field"]: error["message"] for error in json.loads(answer.stderr)["errors"]}
        assert all(message.splitlines()[0] in plain.stderr for message in errors.values())
        return errors


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell with a migrated database and the sample imported."""
    folder = tmp_path_factory.mktemp("shell")
    with pytest.MonkeyPatch.context() as environ:
        for name in list(os.environ):
            if name.startswith(("WHETSTONE_", "OPENAI_", "REDIS_", "DATABASE_")):
                environ.delenv(name)
        environ.setenv("WHETSTONE_DATA_DIR", str(folder / "data"))
        environ.setenv("WHETSTONE_EXPERIMENTS_DIR", str(folder / "experiments"))
        environ.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
        wiring.settings.cache_clear()
        wiring.database.cache_clear()
        shell = Shell()
        shell("migrate")
        shell("datasets", "import", SAMPLE)
        yield shell
        wiring.database().close()
    wiring.settings.cache_clear()
    wiring.database.cache_clear()


@pytest.fixture(scope="module")
def trained(shell: Shell) -> dict[str, Any]:
    """The result of a short training."""
    result: dict[str, Any] = shell.json(*TRAIN, *PROMPTS, "--seed", "5")
    return result
