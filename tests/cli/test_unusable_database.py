"""A database that is missing, damaged or newer than the code is refused in words at every door, and left as it is."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.config import ROOT
from app.store.database import Database
from tests.servers import free_port

DOORS = {
    "web": [sys.executable, "-m", "app.cli", "web"],
    "worker": [sys.executable, "-m", "app.cli", "worker"],
    "celery": [sys.executable, "-m", "celery", "-A", "worker", "worker"],
    "a command": [sys.executable, "-m", "app.cli", "runs", "list"],
    "backup": [sys.executable, "-m", "app.cli", "backup", "copy.db"],
}
MIGRATING = {
    "migrate": [sys.executable, "-m", "app.cli", "migrate"],
    "up": [sys.executable, "-m", "app.cli", "up"],
}


def missing(file: Path) -> str:
    file.unlink()
    return "there is no database at"


def newer(file: Path) -> str:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    return "made by a newer version of Whetstone"


def damaged(file: Path) -> str:
    content = bytearray(file.read_bytes())
    content[4096:-4096] = b"\xff" * (len(content) - 8192)
    file.write_bytes(content)
    return "damaged"


def no_database(file: Path) -> str:
    file.write_bytes(b"this is a letter, not a database. " * 300)
    return "damaged or no SQLite database"


def without_tables(file: Path) -> str:
    file.unlink()
    sqlite3.connect(file).close()
    file.touch()
    return "has no tables yet"


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("app.db")}


def refused(command: list[str], folder: Path) -> str:
    """What is said by a command that must end by itself and fail."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("WHETSTONE_")}
    ports = {"WHETSTONE_PORT": str(free_port()), "WHETSTONE_REDIS_PORT": str(free_port())}
    own = {"WHETSTONE_DATA_DIR": str(folder), "REDIS_URL": "redis://127.0.0.1:1/0", **ports}
    ended = subprocess.run(command, cwd=ROOT, env=clean | own, capture_output=True, text=True, timeout=90)
    assert ended.returncode == 1, ended
    assert "Traceback" not in ended.stderr
    return ended.stdout + ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("harm", [missing, newer, damaged, no_database, without_tables])
def test_it_is_refused_in_words_at_every_door(tmp_path: Path, harm: Callable[[Path], str]) -> None:
    file = tmp_path / "app.db"
    with Database(f"sqlite:///{file}") as database:
        database.upgrade()
    words = harm(file)
    before = content(tmp_path)
    doors = DOORS | (MIGRATING if harm in (newer, damaged, no_database) else {})
    if harm is not damaged:  # they all look at it with the same words, so one of the harms is shown to each of them
        doors = {door: command for door, command in doors.items() if door in ("a command", "migrate")}
    for door, command in doors.items():
        said = refused(command, tmp_path)
        assert words in said, (door, said)
        assert content(tmp_path) == before, door


def test_help_needs_no_database(tmp_path: Path) -> None:
    environ = {**os.environ, "WHETSTONE_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "app.cli", "runs", "--help"]
    assert subprocess.run(command, cwd=ROOT, env=environ, capture_output=True).returncode == 0
    assert not (tmp_path / "app.db").exists()
