from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
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


def every_command(
    group: click.Group = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(every_command())
SERVERS = {("up",), ("web",), ("worker",)}


def test_the_commands_are_those_that_are_promised() -> None:
    assert {" ".join(path) for path in COMMANDS} == {
        "up",
        "web",
        "worker",
        "migrate",
        "doctor",
        "demo",
        "datasets import",
        "datasets list",
        "datasets show",
        "prompts list",
        "prompts show",
        "prompts export",
        "prompts label",
        "train",
        "runs list",
        "runs show",
        "runs watch",
        "runs pause",
        "runs resume",
        "runs cancel",
        "runs export",
        "runs report",
    }


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_and_knows_json(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert all(option.help for option in options)
    assert path in SERVERS or any(option.name == "as_json" for option in options)
    assert CliRunner().invoke(cli, [*path, "--help"]).exit_code == 0


def test_migrate_says_which_database(shell: Shell) -> None:
    assert shell.json("migrate")["status"] == "up to date"


def test_import_reports_what_was_dropped(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "tickets.csv"
    file.write_text("question,label\nhello,a\n,b\nthere,\nmore,c\n")
    result = shell.json("datasets", "import", str(file), "--name", "tickets")
    assert (result["name"], result["rows"], result["dropped"]) == ("tickets", 2, 2)
    assert [entry["row"] for entry in result["report"]["dropped"]] == [2, 3]
    again = shell("datasets", "import", str(file), "--name", "tickets")
    assert "tickets: 2 rows imported, 2 dropped" in again.stdout
    assert "dropped row 2 (line 3)" in again.stdout


def test_import_takes_other_columns(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    file.write_text("text;kind\nhello;a\nthere;b\n")
    assert "the columns text, kind" in shell.refused("datasets", "import", str(file))["answer_column"]
    result = shell.json("datasets", "import", str(file), "--input-column", "text", "--answer-column", "kind")
    assert result["report"]["input_column"] == "text"
    assert "nope" in shell.refused("datasets", "import", str(file), "--input-column", "nope")["input_column"]


@pytest.mark.parametrize(
    ("content", "wanted"),
    [(b"", "empty"), (b"a,a\n1,2\n", "same name"), (b'input,answer\n"x,y\n', "quote"), (b"\x00\x01\x02\x03" * 50, "")],
)
def test_a_bad_file_is_refused(shell: Shell, tmp_path: Path, content: bytes, wanted: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    assert wanted in " ".join(shell.refused("datasets", "import", str(file)).values())


def test_what_cannot_be_read_is_refused(shell: Shell, tmp_path: Path) -> None:
    assert "No such file" in shell.refused("datasets", "import", str(tmp_path / "nowhere.csv"))["file"]
    assert "Is a directory" in shell.refused("datasets", "import", str(tmp_path))["file"]


def test_datasets_are_listed_and_shown(shell: Shell) -> None:
    assert "support_intents" in [row["name"] for row in shell.json("datasets", "list")]
    assert "support_intents\t160\tsupport_intents.csv" in shell("datasets", "list").stdout
    shown = shell.json("datasets", "show", "support_intents", "--limit", "2")
    assert [example["row"] for example in shown["examples"]] == [1, 2]
    assert "labels: account_change 20" in shell("datasets", "show", "support_intents").stdout
    assert "there is no dataset 'nope'" in shell.refused("datasets", "show", "nope")[""]


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
    again = shell.json(*TRAIN, *PROMPTS, "--seed", "5")
    assert {**again, "run": ""} == {**trained, "run": ""}


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


def test_a_run_is_shown_and_taken_away(shell: Shell, trained: dict[str, Any], tmp_path: Path) -> None:
    run = trained["run"]
    shown = shell.json("runs", "show", run)
    assert shown["spent"]["calls"] == trained["calls"]
    assert "verdict" in shell("runs", "show", run).stdout
    assert f"{run}\t" in shell("runs", "list").stdout
    folder = Path(shell.json("runs", "export", run)["path"])
    assert {"spec.json", "samples.csv", "report.html"} <= {file.name for file in folder.iterdir()}
    for kind in ("csv", "jsonl"):
        target = tmp_path / f"out.{kind}"
        shell("runs", "export", run, "--format", kind, "--output", str(target))
        assert len(target.read_text().splitlines()) > 100
    shell("runs", "report", run, "--output", str(tmp_path / "report.html"))
    assert "simulated" in (tmp_path / "report.html").read_text().lower()
    assert "cannot be written" in shell.refused("runs", "report", run, "--output", "/proc/nowhere/x")["output"]


@pytest.mark.parametrize("command", ["show", "watch", "pause", "resume", "cancel", "export", "report"])
def test_a_run_that_is_not_there_is_said(shell: Shell, command: str) -> None:
    assert "no run nope" in shell.refused("runs", command, "nope")[""]


def test_a_training_leaves_its_versions_in_the_library(shell: Shell, trained: dict[str, Any]) -> None:
    name = shell.json("runs", "show", trained["run"])["prompt"]
    assert name in [prompt["name"] for prompt in shell.json("prompts", "list")]
    shown = shell.json("prompts", "show", name)
    assert shown["versions"] == len(shown["history"]) > 1
    assert shell.json("prompts", "label", name, "production", "1") == {
        "prompt": name,
        "label": "production",
        "version": 1,
    }
    assert shell.json("prompts", "export", name, "--version", "production")["version"] == 1
    for kind, part in (("text", "system prompt"), ("yaml", "system_prompt:"), ("python", "import")):
        assert part in shell("prompts", "export", name, "--format", kind).stdout
    assert "production removed" in shell("prompts", "label", name, "production", "--remove").stdout
    assert "no version or label" in shell.refused("prompts", "show", name, "--version", "production")[""]
    assert "no prompt called" in shell.refused("prompts", "show", "nope")[""]


def test_doctor_names_what_is_missing(shell: Shell) -> None:
    report = shell.json("doctor", code=1)
    states = {(check["name"], check["status"]) for check in report["checks"]}
    assert {("configuration", "ok"), ("database", "ok"), ("disk", "ok"), ("redis", "problem")} <= states
    said = shell("doctor", code=1).stdout
    assert "PROBLEM redis: does not answer" in said
    assert "Simulated" in said


@pytest.mark.parametrize(
    "words", [["nonsense"], ["runs", "nonsense"], ["datasets", "show"], ["runs", "list", "--limit", "0"]]
)
def test_wrong_usage_has_code_2(shell: Shell, words: list[str]) -> None:
    shell.refused(*words)


def test_a_group_alone_shows_its_help(shell: Shell) -> None:
    assert "Commands:" in shell("runs", code=2).stderr


def test_a_wrong_configuration_stops_every_command(tmp_path: Path) -> None:
    environ = {**os.environ, "WHETSTONE_DATA_DIR": str(tmp_path), "WHETSTONE_PROT": "1"}
    command = [sys.executable, "-m", "app.cli", "runs", "list"]
    ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: environment: WHETSTONE_PROT is not a setting (did you mean WHETSTONE_PORT?)")


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
