from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import update

from app import wiring
from app.cli import cli
from app.config import ROOT
from app.store.models import Run
from tests.cli.conftest import Shell
from tests.services.pictures.drawn import archive, picture


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
        "tokens create",
        "tokens list",
        "tokens revoke",
        "up",
        "web",
        "worker",
        "migrate",
        "backup",
        "doctor",
        "demo",
        "try",
        "datasets import",
        "models activate",
        "models check",
        "models clone",
        "models delete",
        "models export",
        "models import",
        "models list",
        "models set",
        "models show",
        "providers key",
        "providers list",
        "providers remove",
        "providers reseal",
        "providers servers",
        "providers set",
        "providers test",
        "datasets list",
        "datasets show",
        "datasets doctor",
        "datasets rule",
        "datasets version",
        "datasets changes",
        "prompts list",
        "prompts show",
        "prompts export",
        "prompts label",
        "prompts import",
        "prompts compare",
        "compare",
        "train",
        "plan",
        "benchmark",
        "review",
        "rank",
        "analyze",
        "reviews list",
        "reviews show",
        "reviews save",
        "reviews duplicate",
        "reviews delete",
        "runs list",
        "runs show",
        "runs bill",
        "runs watch",
        "runs rejudge",
        "runs pause",
        "runs resume",
        "runs cancel",
        "runs export",
        "runs import",
        "runs report",
        "prune",
        "spend",
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


def test_import_finds_images_in_the_folder_of_the_table_or_in_a_zip(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "cards.csv").write_text("image,input,answer\na.png,x,1\n../out.png,x,2\n")
    (tmp_path / "a.png").write_bytes(picture())
    told = shell("datasets", "import", str(tmp_path / "cards.csv")).stdout
    assert "images: 1 of 2 loaded" in told
    assert "row 2: ../out.png is no path below the images" in told
    (tmp_path / "in.zip").write_bytes(archive({"a.png": picture(colour="blue")}).getvalue())
    zipped = ("datasets", "import", str(tmp_path / "cards.csv"), "--name", "zipped", "--images")
    assert shell.json(*zipped, str(tmp_path / "in.zip"))["report"]["images"]["loaded"] == 1
    assert "no ZIP archive" in shell.refused(*zipped, str(tmp_path / "a.png"))["images"]
    left = shell.json("datasets", "import", str(tmp_path / "cards.csv"), "--name", "plain", "--image-column", "-")
    assert "images" not in left["report"]


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


def test_a_run_is_shown_and_taken_away(shell: Shell, trained: dict[str, Any], tmp_path: Path) -> None:
    run = trained["run"]
    shown = shell.json("runs", "show", run)
    assert shown["spent"]["calls"] == trained["calls"]
    assert all(word in shell("runs", "show", run).stdout for word in ("verdict", "simulated", "tokens, $"))
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


def test_prune_says_what_would_go_and_removes_it(shell: Shell, trained: dict[str, Any]) -> None:
    assert "Nothing to remove." in shell("prune").stdout
    with wiring.database().engine.begin() as connection:
        long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=9)
        connection.execute(update(Run).where(Run.id == trained["run"]).values(ended_at=long_ago))
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("WHETSTONE_RETENTION_CALLS_DAYS", "8")
        wiring.settings.cache_clear()
        told = shell.json("prune", "--dry-run")
        assert told["dry_run"]
        assert told["rows"]["calls"] >= trained["calls"]
        assert shell.json("runs", "show", trained["run"])["calls_pruned_at"] is None
        done = shell.json("prune", "--vacuum")
        assert (done["rows"], done["bytes"], done["dry_run"]) == (told["rows"], told["bytes"], False)
        assert done["disk_bytes_after"] < done["disk_bytes_before"]
        assert done["runs_without_calls"] == [trained["run"]]
    wiring.settings.cache_clear()
    shown = shell.json("runs", "show", trained["run"])
    assert shown["calls_pruned_at"]
    assert shown["spent"]["calls"] == trained["calls"]
    assert "to save room" in shell("runs", "show", trained["run"]).stdout
