"""How long an import of a million rows takes, and its memory; the reference is csv.reader alone and a bare executemany."""

from __future__ import annotations

import csv
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from app.core.datasets import Limits
from app.services import datasets
from app.store.database import Database
from benchmarks import peak
from benchmarks.report import Cell, Table
from benchmarks.setting import migrated, process

GOAL_S, GOAL_MB = 60.0, 300.0
BATCH = 1000


def measure(quick: bool) -> list[Table]:
    """The tables of this measurement."""
    rows = 5000 if quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="whetstone-bench-") as name:
        folder = Path(name)
        size_mb = write(folder / "rows.csv", rows) / 2**20
        found = {what: _apart(what, folder) for what in WORK}
    reference_s = found["read"][0] + found["insert"][0]
    titles = {"read": "csv.reader alone", "insert": "bare executemany alone", "import": "import into SQLite"}
    lines: list[list[Cell]] = [
        [titles[what], seconds, rows / seconds, peak_mb, seconds / reference_s]
        for what, (seconds, peak_mb) in found.items()
    ]
    return [
        Table(
            f"Import of {rows:,} rows ({size_mb:.0f} MB of CSV)",
            ("", "seconds", "rows a second", "peak RSS, MB", "of the two references together"),
            lines,
            [
                f"Goal: {GOAL_S:g} s and {GOAL_MB:g} MB for a million rows. An import reads the file twice: once to find "
                "every fault and to count, then into the database in one transaction."
            ],
        )
    ]


def write(path: Path, rows: int) -> int:
    """Write the file; returns its bytes."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(("question", "answer", "source"))
        lines.writerows(
            (
                f"Where is my parcel number {n}? It was promised, and it has not come.",
                f"topic {n % 8}",
                f"mail {n % 97}",
            )
            for n in range(rows)
        )
    return path.stat().st_size


def _apart(what: str, folder: Path) -> tuple[float, float]:
    """Seconds and peak memory of one piece of work in a process of its own."""
    with process([sys.executable, "-m", "benchmarks.importing", what, str(folder)]) as running:
        said = running.communicate(timeout=600)[0]
    if running.returncode != 0:
        raise RuntimeError(f"{what} ended with status {running.returncode}")
    seconds, peak_mb = json.loads(said)
    return seconds, peak_mb


def _read(folder: Path) -> None:
    with (folder / "rows.csv").open(newline="", encoding="utf-8") as file:
        for _ in csv.reader(file):
            pass


def _insert(folder: Path) -> None:
    connection = sqlite3.connect(folder / "bare.db")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute('CREATE TABLE examples (id INTEGER PRIMARY KEY, dataset_id, "row", input, reference, extra)')
    rows = (
        (1, n, f"Where is my parcel number {n}? It was promised, and it has not come.", "topic", "{}")
        for n in range(_rows(folder))
    )
    while batch := list(islice(rows, BATCH)):
        connection.executemany(
            'INSERT INTO examples (dataset_id, "row", input, reference, extra) VALUES (?,?,?,?,?)', batch
        )
    connection.commit()
    connection.close()


def _rows(folder: Path) -> int:
    with (folder / "rows.csv").open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(2**20), b"")) - 1


def _import(folder: Path) -> None:
    limits = Limits(2**30, 10_000_000, 200, 1_000_000)
    with Database(f"sqlite:///{folder}/app.db") as database, database.session() as session:
        with (folder / "rows.csv").open("rb") as file:
            dataset = datasets.import_file(session, file, "rows.csv", limits=limits)
        if dataset.rows != _rows(folder):
            raise RuntimeError(f"{dataset.rows} rows were imported")


WORK: dict[str, Callable[[Path], None]] = {"read": _read, "insert": _insert, "import": _import}


def main() -> None:
    """Do one piece of work and tell seconds and peak memory."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    if what == "import":
        migrated(f"sqlite:///{folder}/app.db")
    peak.begin()
    began = time.perf_counter()
    WORK[what](folder)
    took = time.perf_counter() - began
    print(json.dumps([took, peak.peak_mb()]))


if __name__ == "__main__":
    main()
