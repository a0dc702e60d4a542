"""The environment wins over config.yaml, config.yaml over the default; a wrong or unknown key stops the start."""

from __future__ import annotations

import difflib
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.config.kinds import Section
from app.config.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
"""The project's folder: config.yaml, migrations/, prompts/ and data/samples/ lie here."""

PREFIX = "WHETSTONE_"
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "GOOGLE_CLOUD_LOCATION": "location",
        "GOOGLE_CLOUD_PROJECT": "project_id",
        "VERTEXAI_LOCATION": "location",
        "VERTEXAI_PROJECT": "project_id",
        "DATABASE_URL": "database_url",
        "REDIS_URL": "redis_url",
    }
)
"""Names that other tools use for our settings; a later one wins over an earlier one, WHETSTONE_* over them all."""

NOT_SETTINGS = ("WHETSTONE_CONFIG", "WHETSTONE_SHARED_DATA", "WHETSTONE_TEST_")
"""Beginnings of other variables: the first names the configuration file itself, the others are for the tests."""

SECRETS = frozenset(name for name, field in Settings.model_fields.items() if not field.repr)
"""Settings that are never printed."""


class ConfigError(Exception):
    """The configuration cannot be used. problems: one sentence each, naming the place, the key and what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting for the documentation. path: as in config.yaml, with dots. env: its environment variable."""

    path: str
    env: str
    default: Any
    help: str


def catalogue(section: type[Section] = Settings, prefix: str = "") -> Iterator[Setting]:
    """Every setting, in the order of config.yaml."""
    for name, field in section.model_fields.items():
        path = prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from catalogue(field.annotation, path + ".")
        else:
            yield Setting(path, PREFIX + path.upper().replace(".", "_"), field.default, field.description or "")


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings. Relative folders are taken from the configuration file's folder.

    path: the configuration file; None takes $WHETSTONE_CONFIG, else config.yaml of the project, which may be absent.
    Raises: ConfigError with every problem found.
    """
    named = path or (Path(environ["WHETSTONE_CONFIG"]) if environ.get("WHETSTONE_CONFIG") else None)
    file = named or ROOT / "config.yaml"
    if named and not file.is_file():
        raise ConfigError([f"{file}: there is no such file; correct the path, or leave WHETSTONE_CONFIG unset"])
    draft = _Draft()
    if file.is_file():
        draft.read_yaml(file)
    draft.read_environment(environ)
    draft.anchor(file.resolve().parent)
    try:
        settings = Settings.model_validate(draft.values)
    except ValidationError as error:
        raise ConfigError(draft.problems + [draft.sentence(one) for one in error.errors()]) from None
    if draft.problems:
        raise ConfigError(draft.problems)
    return settings


class _Draft:
    """The values found so far, and for each dotted path the place where it was found."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.origin: dict[str, str] = {}
        self.problems: list[str] = []
        self.known = {setting.path: setting for setting in catalogue()}

    def read_yaml(self, file: Path) -> None:
        try:
            root = yaml.compose(file.read_text("utf-8"), Loader=yaml.SafeLoader)
            if isinstance(root, yaml.MappingNode):
                self.values = self._mapping(root, file, "")
            elif root is not None:
                raise ConfigError([f"{file}: must be a list of 'key: value' lines"])
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ConfigError([f"{file}: is not readable as YAML: {' '.join(str(error).split())}"]) from None

    def _mapping(self, node: yaml.MappingNode, file: Path, prefix: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key, path = str(key_node.value), prefix + str(key_node.value)
            self.origin[path] = where = f"{file}, line {key_node.start_mark.line + 1}"
            if key in found:
                self.problems.append(f"{where}: {path} is given twice; remove one of the lines")
            if isinstance(value_node, yaml.MappingNode):
                found[key] = self._mapping(value_node, file, path + ".")
            else:
                found[key] = _constructed(value_node)
        return found

    def read_environment(self, environ: Mapping[str, str]) -> None:
        names = {setting.env: setting.path for setting in self.known.values()}
        for name, path in ALIASES.items():
            if environ.get(name):
                self._put(path, environ[name], name)
        for name, value in sorted(environ.items()):
            if name in names and value:
                self._put(names[name], value, name)
            elif name.startswith(PREFIX) and name not in names and not name.startswith(NOT_SETTINGS):
                hint = _nearest(name, names)
                self.problems.append(f"environment: {name} is not a setting{hint}; correct the name or unset it")

    def _put(self, path: str, value: str, name: str) -> None:
        *sections, key = path.split(".")
        target = self.values
        for section in sections:
            if not isinstance(target.get(section), dict):
                target[section] = {}
            target = target[section]
        target[key] = value
        self.origin[path] = f"environment variable {name}"

    def anchor(self, folder: Path) -> None:
        """Make folders absolute, so that the same configuration means the same data from wherever it is started."""
        for key in ("data_dir", "experiments_dir"):
            given = self.values.get(key, Settings.model_fields[key].default)
            if isinstance(given, str | Path) and str(given):
                self.values[key] = folder / Path(given).expanduser()

    def sentence(self, error: ErrorDetails) -> str:
        path = ".".join(str(part) for part in error["loc"] if isinstance(part, str))
        where = self.origin.get(path, "settings")
        if error["type"] == "extra_forbidden":
            return f"{where}: {path} is not a setting{_nearest(path, self.known)}; correct the name or remove it"
        message = error["msg"].removeprefix("Value error, ").replace("Input should", "must")
        default = f" (default: {self.known[path].default!s})" if path in self.known else ""
        given = "" if path in SECRETS else f", not {error['input']!r}"
        return f"{where}: {path} {message}{given}; correct it or remove it{default}"


def _constructed(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node, deep=True)
    finally:
        loader.dispose()


def _nearest(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f" (did you mean {close[0]}?)" if close else ""


def read_env_file(path: Path = ROOT / ".env") -> dict[str, str]:
    """The variables of an .env file, nothing when there is none. Callers let the real environment win."""
    return {key: value for key, value in dotenv_values(path).items() if value is not None} if path.is_file() else {}


def signing_key(settings: Settings) -> str:
    """What signs sessions and forms: the setting, else a key made at the first start and kept in the data folder."""
    if settings.secret_key:
        return settings.secret_key
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    file = settings.data_dir / "secret.key"
    if not file.exists():
        draft = settings.data_dir / f"secret.{secrets.token_hex(8)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(secrets.token_urlsafe(48))
        with suppress(FileExistsError):  # the first of several simultaneous starts wins, and its key is whole at once
            os.link(draft, file)
        draft.unlink()
    return file.read_text()
