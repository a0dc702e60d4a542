"""The documentation says what the code does: every setting, command, option, field, scorer, strategy and route is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask
from flask_wtf.csrf import CSRFProtect

from app import api
from app.cli import cli
from app.config import ROOT, catalogue
from app.config.reading import ALIASES
from app.core import scorers
from app.core.catalog import KINDS
from app.core.optimizers import STRATEGIES
from app.services.prompts import FORMATS
from app.services.training.form import TrainingForm

DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text()


def commands(group: click.Group = cli, path: str = "whetstone") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def test_every_setting_is_documented_with_its_default() -> None:
    text = page("configuration")
    for setting in catalogue():
        value = ", ".join(setting.default) if isinstance(setting.default, tuple) else setting.default
        default = "empty" if value == "" else f"`{'null' if value is None else value}`"
        assert f"| `{setting.path}` | `{setting.env}` | {default} | {setting.help} |" in text, setting.path
    for name, path in ALIASES.items():
        assert f"| `{name}` | `{path}` |" in text


def test_every_command_and_option_is_documented() -> None:
    text = page("command-line")
    for path, command in commands():
        line = next((line for line in text.splitlines() if line.startswith(f"| `{path}")), "")
        assert line, path
        where = text if path in ("whetstone train", "whetstone plan") else line
        for option in command.params:
            if isinstance(option, click.Option) and option.name not in ("as_json", "help"):
                assert f"`{option.opts[0]}" in where, (path, option.opts)


def test_the_page_has_no_option_or_command_that_is_not_there() -> None:
    known = {option for _, command in commands() for parameter in command.params for option in parameter.opts}
    used = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", page("command-line")))
    assert used <= known | {"--help"}
    paths = {path for path, _ in commands()}
    for line in page("command-line").splitlines():
        if line.startswith("| `whetstone "):
            words = line.split("`")[1].split()
            assert " ".join(words[:2]) in paths or " ".join(words[:3]) in paths, line


def test_the_exit_codes_are_documented() -> None:
    from app.cli.console import Exit

    for code in Exit:
        assert f"| {code.value} |" in page("command-line")


def test_every_field_of_a_training_is_documented_and_an_option() -> None:
    for command in ("train", "plan"):
        options = {option.name for option in cli.commands[command].params}
        assert set(TrainingForm.model_fields) <= options, command
    for field in TrainingForm.model_fields:
        assert f"| `{field}` |" in page("http-api"), field


def test_every_scorer_and_strategy_is_documented() -> None:
    text = page("training")
    for name in scorers.SCORERS:
        assert f"### `{name}`" in text
        for setting in scorers.settings(name):
            assert f"| `{setting.name}` |" in text, (name, setting.name)
    for name in STRATEGIES:
        assert f"| `{name}` |" in text
    assert all(f"`{name}`" in page("command-line") for name in FORMATS)


def test_every_kind_is_documented() -> None:
    for name in KINDS:
        assert f"| {name} |" in (ROOT / "README.md").read_text(), name


def test_every_route_is_documented() -> None:
    app = Flask("whetstone-docs")
    CSRFProtect(app)
    api.attach(app)
    routes = {
        f"{method} " + re.sub("<(?:[a-z]+:)?([a-z_]+)>", r"<\1>", rule.rule).replace("run_id", "id")
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.unknown"
    }
    documented = set(re.findall(r"^\| `([A-Z]+ /api/v1/[^`]*)`", page("http-api"), re.M))
    assert documented == routes


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_somewhere(file: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", file.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (file.parent / target).exists(), target


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_make_targets_exist(file: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"(?:^    |`)make ([a-z]+)", file.read_text(), re.M)) <= targets
