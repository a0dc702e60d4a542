"""Every page and list over a million samples and calls, as records.py measures them, in a few lines for each database."""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import Cell, Table
from benchmarks.setting import ROOT, process

SCRIPT = ROOT / "benchmarks" / "records.py"
SLOWEST = 8
MOST_S = 900


def measure(quick: bool) -> list[Table]:
    """The tables of this measurement. Raises: RuntimeError without the script, or when it fails."""
    samples = 5000 if quick else 1_000_000
    found = [_measured(samples, switches) for switches in ([[]] if quick else [[], ["--postgres"]])]
    return [_summary(found, samples), *(_slowest(one) for one in found)]


def _measured(samples: int, switches: Sequence[str]) -> dict[str, Any]:
    if not SCRIPT.exists():
        raise RuntimeError("benchmarks/records.py, which fills the database and asks, is not there")
    command = [sys.executable, str(SCRIPT), "--samples", str(samples), "--progress", str(samples // 10), *switches]
    with process(command, stderr=sys.stderr, env=os.environ | {"PYTHONPATH": str(ROOT)}) as running:
        said = running.communicate(timeout=MOST_S)[0]
    if running.returncode != 0:
        raise RuntimeError(f"records.py ended with status {running.returncode}: {said[-200:]}")
    kind = "postgresql" if switches else "sqlite"
    result: dict[str, Any] = json.loads(Path(SCRIPT.parent, "results", f"records-{kind}.json").read_text())
    return result


def _summary(found: Sequence[Mapping[str, Any]], samples: int) -> Table:
    rows = [_line(one, state) for one in found for state in ("ended", "under_way")]
    goal = found[0]["goal_ms"]
    return Table(
        f"Pages, lists and API answers over {samples:,} samples and as many calls",
        (
            "database",
            "the run",
            "addresses",
            f"above {goal} ms",
            "median of p95, ms",
            "largest p95, ms",
            "median p95 / bare read",
        ),
        rows,
        [f"Goal: p95 <= {goal} ms. A bare read takes as many rows of the same table by their primary key."],
    )


def _line(one: Mapping[str, Any], state: str) -> list[Cell]:
    lines = one[state]
    p95 = [float(line["p95_ms"]) for line in lines]
    late = sum(value > one["goal_ms"] for value in p95)
    ratio = statistics.median(float(line["times_bare"]) for line in lines)
    return [one["database"], state.replace("_", " "), len(lines), late, statistics.median(p95), max(p95), ratio]


def _slowest(one: Mapping[str, Any]) -> Table:
    lines = sorted([*one["ended"], *one["under_way"]], key=lambda line: -line["p95_ms"])[:SLOWEST]
    return Table(
        f"The slowest of them in {one['database']}",
        ("address", "p50, ms", "p95, ms", "p95 / bare read"),
        [
            [f"`{line['address']}`", *(float(line[name]) for name in ("p50_ms", "p95_ms", "times_bare"))]
            for line in lines
        ],
    )
