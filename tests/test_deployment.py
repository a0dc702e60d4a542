"""The files that others run us by are checked against the code: commands exist, variables are known, services fit."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from typing import Any

import jsonschema
import pytest
import yaml

from app.cli import cli
from app.config import ROOT, catalogue
from app.config.reading import ALIASES
from app.llm.known import KNOWN

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SETTINGS = {setting.env for setting in catalogue()} | set(ALIASES)
KEYS = {name for known in KNOWN.values() for name in (*known.keys, *known.bases)}
OTHERS = {"PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PGPASSWORD", "GOOGLE_APPLICATION_CREDENTIALS"}
"""Variables that Python, libpq or Google's client understand."""

WORDS = {"type": "array", "items": {"type": "string"}}
DEPENDS_ON = {
    "additionalProperties": {
        "required": ["condition"],
        "additionalProperties": False,
        "properties": {"condition": {"enum": ["service_healthy", "service_completed_successfully"]}},
    }
}
SCHEMA = {
    "$comment": "The part of the Compose specification that we use.",
    "type": "object",
    "required": ["name", "services", "volumes"],
    "patternProperties": {"^x-": {}},
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "volumes": {"type": "object", "additionalProperties": {"type": "null"}},
        "services": {
            "additionalProperties": {
                "type": "object",
                "required": ["image", "restart"],
                "additionalProperties": False,
                "properties": {
                    "build": {"const": "."},
                    "command": WORDS,
                    "depends_on": DEPENDS_ON,
                    "environment": {"additionalProperties": {"type": "string"}},
                    "healthcheck": {
                        "required": ["test", "interval", "timeout", "retries"],
                        "additionalProperties": False,
                        "properties": {
                            "test": WORDS,
                            "interval": {"pattern": "^[0-9]+s$"},
                            "timeout": {"pattern": "^[0-9]+s$"},
                            "start_period": {"pattern": "^[0-9]+s$"},
                            "retries": {"type": "integer"},
                        },
                    },
                    "image": {"type": "string"},
                    "init": {"type": "boolean"},
                    "ports": WORDS,
                    "restart": {"enum": ["no", "unless-stopped"]},
                    "stop_grace_period": {"pattern": "^[0-9]+s$"},
                    "volumes": WORDS,
                },
            }
        },
    },
}


def commands() -> list[list[str]]:
    words = [service["command"] for service in SERVICES.values() if "command" in service]
    words += [service["healthcheck"]["test"][1:] for service in SERVICES.values() if "healthcheck" in service]
    words.append(yaml.safe_load(re.findall(r"^CMD (.*)$", DOCKERFILE, re.M)[0]))
    return [line for line in words if line[0] == "whetstone"]


def test_compose_is_valid() -> None:
    jsonschema.validate(COMPOSE, SCHEMA)


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="docker-compose is not here")
def test_compose_is_accepted_by_docker() -> None:
    environ = {**os.environ, "POSTGRES_PASSWORD": "x", "WHETSTONE_SECRET_KEY": "x"}
    subprocess.run(["docker-compose", "config", "--quiet"], cwd=ROOT, env=environ, check=True)


def test_every_command_exists() -> None:
    assert len(commands()) >= 4
    for _, name, *rest in commands():
        assert name in cli.commands, name
        assert not rest


def test_every_variable_is_known() -> None:
    used = {name for service in ("web", "worker", "migrate") for name in SERVICES[service]["environment"]}
    used |= set(re.findall(r"^(?:ENV|   ) +([A-Z][A-Z0-9_]+)=", DOCKERFILE, re.M))
    assert {"DATABASE_URL", "WHETSTONE_HOST"} <= used
    assert used - SETTINGS - OTHERS - KEYS == set()


def test_every_variable_of_the_example_is_known() -> None:
    text = (ROOT / ".env.example").read_text()
    names = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", text, re.M))
    assert names - SETTINGS - OTHERS - KEYS == {"POSTGRES_PASSWORD"}


def test_no_secret_has_a_default() -> None:
    given = [(name, key, value) for name, one in SERVICES.items() for key, value in one.get("environment", {}).items()]
    found = [(name, key, value) for name, key, value in given if re.search("PASSWORD|SECRET", key)]
    assert len(found) >= 4
    for name, key, value in found:
        assert re.fullmatch(r"\$\{[A-Z_]+:\?[^}]*\}", value), (name, key)
    assert not re.search(r":[^@/$]+@", SERVICES["web"]["environment"]["DATABASE_URL"].split("//")[1])


def test_ports_are_bound_to_this_machine_and_only_the_pages_have_one() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"web"}
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["web"]["ports"])


def test_services_start_in_order() -> None:
    for name in ("web", "worker"):
        assert SERVICES[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "postgres": {"condition": "service_healthy"},
            "redis": {"condition": "service_healthy"},
        }
    assert SERVICES["migrate"]["restart"] == "no"
    assert all("healthcheck" in SERVICES[name] for name in ("web", "worker", "postgres", "redis"))


def test_every_named_volume_is_declared() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_the_image_copies_files_that_exist_and_ignores_the_rest() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.M):
        *sources, _ = shlex.split(line)
        for source in sources:
            assert (ROOT / source).exists(), source
            assert source in kept, source


def test_the_image_runs_as_an_ordinary_user() -> None:
    users = re.findall(r"^USER (.*)$", DOCKERFILE, re.M)
    assert users
    assert users[-1] not in ("root", "0")


@pytest.mark.parametrize("script", ["scripts/environment.sh", "scripts/chromium.sh", ".ci/run"])
def test_scripts_are_executable_and_valid(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["bash", "-n", script], cwd=ROOT, check=True)


def test_the_check_is_the_same_everywhere() -> None:
    assert "make test" in (ROOT / ".ci/run").read_text()


@pytest.mark.parametrize(("file", "extra"), [("requirements.txt", []), ("requirements-dev.txt", ["--group", "dev"])])
def test_requirements_agree_with_the_lock(file: str, extra: list[str]) -> None:
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not here, so the export cannot be repeated")
    command = [uv, "export", "--quiet", "--frozen", "--offline", "--no-emit-project", *extra]
    exported = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert entries(exported) == entries((ROOT / file).read_text()), "run `make lock`"


def test_every_requirement_has_hashes() -> None:
    for file in ("requirements.txt", "requirements-dev.txt"):
        for entry in entries((ROOT / file).read_text()):
            assert "==" in entry, entry
            assert "--hash=sha256:" in entry, entry


def entries(text: str) -> list[str]:
    """The requirements without comments, one string each."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\s*\\\n\s*", " ", "\n".join(lines))
    return [entry.strip() for entry in joined.splitlines()]
