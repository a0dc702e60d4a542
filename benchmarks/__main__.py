"""Measure everything, or what is named, and write it down.

    python -m benchmarks [NAME ...] [--quick] [--publish]

Each measurement runs in a process of its own, with all it starts in one group that is ended afterwards; one that fails or takes
too long is reported as such, and the others go on. Results go to benchmarks/results/NAME.json. --publish also puts them into
docs/performance.json and their tables into docs/performance.md. --quick makes fewer calls, once each, to see that all works.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.catalog import MEASUREMENTS, Measurement
from benchmarks.setting import ROOT

RESULTS = ROOT / "benchmarks" / "results"
PAGE, PUBLISHED = ROOT / "docs" / "performance.md", ROOT / "docs" / "performance.json"
ENDS_WITHIN_S = 15.0


def main() -> int:
    """Measure, print, write; 1 when a measurement failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(MEASUREMENTS)}; all by default")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--publish", action="store_true")
    options = parser.parse_args()
    if unknown := set(options.names) - set(MEASUREMENTS):
        parser.error(
            f"there is no measurement called {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}"
        )
    if options.publish and options.quick:
        parser.error("quick figures are not to be published")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    found = {}
    for name in options.names or MEASUREMENTS:
        found[name] = taken(MEASUREMENTS[name], quick=options.quick)
        report.save(RESULTS / f"{name}.json", found[name])
        print(f"## {name}\n\n{report.taken(found[name])}\n\n{report.part(found[name])}\n", flush=True)
    if options.publish:
        publish(found, PUBLISHED, PAGE)
    return int(any(result["problem"] for result in found.values()))


def taken(measurement: Measurement, *, quick: bool) -> dict[str, Any]:
    """The result of one measurement: its tables, or the problem that it had."""
    about = {"at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "machine": report.machine(), "quick": quick}
    began = time.monotonic()
    problem, tables = apart(measurement, quick=quick)
    return {**about, "seconds": round(time.monotonic() - began, 1), "problem": problem, "tables": tables}


def apart(measurement: Measurement, *, quick: bool) -> tuple[str, list[dict[str, Any]]]:
    """Problem ("" for none) and tables of a measurement in a process group of its own."""
    most_s = measurement.quick_s if quick else measurement.most_s
    with tempfile.TemporaryDirectory(prefix="whetstone-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # PostgreSQL runs as another user when we are root, and has its folder below
        target = Path(folder) / "tables.json"
        call = f"from benchmarks.report import hand_over; hand_over({measurement.module!r}, {quick}, {str(target)!r})"
        command, environ = [sys.executable, "-c", call], os.environ | {"TMPDIR": folder}
        running = subprocess.Popen(
            command, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            said = running.communicate(timeout=most_s)[1]
        except subprocess.TimeoutExpired:
            return f"it did not end within {most_s:g} s", []
        finally:
            end_group(running)
        if running.returncode != 0 or not target.exists():
            words = said.strip().splitlines()
            return words[-1] if words else f"it ended with status {running.returncode}", []
        tables: list[dict[str, Any]] = json.loads(target.read_text())
        return "", tables


def end_group(leader: subprocess.Popen[str]) -> None:
    """Let a process and all that it started end, and then make them."""
    with suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGINT if leader.poll() is None else signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        leader.communicate(timeout=ENDS_WITHIN_S)
    with suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()
    if leader.stderr:  # what it started may have held it open until now
        leader.stderr.close()


def publish(found: Mapping[str, Any], kept: Path, page: Path) -> None:
    """Put results into the published file, beside those that are there, and their tables into the page."""
    published: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    published |= found
    report.save(kept, published)
    page.write_text(report.page(page.read_text(), published))


if __name__ == "__main__":
    sys.exit(main())
