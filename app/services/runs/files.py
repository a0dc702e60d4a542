"""A run as files: samples as CSV and JSON lines, and the whole run as a folder that appears complete or not at all."""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from app.core.stats.interval import COUNTED
from app.ports.llm import Json
from app.services.cells import csv_text
from app.services.runs.record import notes
from app.services.runs.report import report_html
from app.services.runs.speed import SPEED_COLUMNS, flat, speed
from app.services.runs.tables import (
    CALL_COLUMNS,
    METRIC_COLUMNS,
    SAMPLE_COLUMNS,
    call_rows,
    metric_rows,
    sample_rows,
)
from app.store.models import Run

MOMENTS = ("created_at", "started_at", "ended_at", "calls_pruned_at")
LEFT_OVER_S = 3600.0
"""What a killed export left is removed by the next one when it is older than this; a younger one may be under way."""


def export_csv(session: Session, run: Run) -> Iterator[str]:
    """The samples as CSV in portions, with a header; no cell is a formula (see app.services.cells)."""
    return csv_text(SAMPLE_COLUMNS, sample_rows(session, run))


def export_jsonl(session: Session, run: Run) -> Iterator[str]:
    """The samples as one JSON object per line."""
    for values in sample_rows(session, run):
        yield json.dumps({name: values[name] for name in SAMPLE_COLUMNS}, ensure_ascii=False) + "\n"


def export_failed(session: Session, run: Run) -> Iterator[str]:
    """The samples that have no score because a call failed for good, as CSV in portions."""
    failed = (values for values in sample_rows(session, run) if values["outcome"] not in COUNTED)
    return csv_text(SAMPLE_COLUMNS, failed)


def export_folder(session: Session, run: Run, target_dir: Path) -> Path:
    """Write ``target_dir/<run id>`` and return it: spec.json, outcome.json, prompts/, samples.csv, calls.csv, metrics.csv,
    speed.csv and report.html. A folder of an earlier export is replaced. Raises: OSError.
    """
    final = target_dir / run.id
    target_dir.mkdir(parents=True, exist_ok=True)
    _clear_left_overs(target_dir, run.id)
    partial = target_dir / f".{run.id}.{secrets.token_hex(4)}"
    try:
        partial.mkdir()
        _fill(partial, session, run)
        _put_in_place(partial, final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return final


def _fill(folder: Path, session: Session, run: Run) -> None:
    _write_json(folder / "spec.json", run.spec)
    about = {
        name: getattr(run, name) for name in ("id", "kind", "name", "status", "reason", "simulated", "cloned_from")
    }
    times = {name: str(getattr(run, name) or "") for name in MOMENTS}
    _write_json(folder / "outcome.json", {"run": about | times, "spent": run.spent, "outcome": run.outcome})
    _write_prompts(folder / "prompts", session, run)
    (folder / "report.html").write_text(report_html(session, run), encoding="utf-8")
    if run.kind == "benchmark":
        from app.services.benchmarks.results import results  # it stands on this package
        from app.services.benchmarks.tables import results_csv

        text = "".join(results_csv(session, results(session, run)))
        (folder / "results.csv").write_text(text, encoding="utf-8", newline="")
    # Last, because they are read in portions of their own.
    tables = (
        ("metrics.csv", METRIC_COLUMNS, list(metric_rows(session, run))),
        ("speed.csv", SPEED_COLUMNS, [flat(line) for line in speed(session, run)]),
        ("samples.csv", SAMPLE_COLUMNS, sample_rows(session, run)),
        ("calls.csv", CALL_COLUMNS, call_rows(session, run)),
    )
    for name, columns, rows in tables:
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            file.writelines(csv_text(columns, rows))


def _clear_left_overs(target_dir: Path, run_id: str) -> None:
    before = time.time() - LEFT_OVER_S
    for left in target_dir.glob(f".{run_id}.*"):
        if left.stat().st_mtime < before:
            shutil.rmtree(left, ignore_errors=True)


def _put_in_place(partial: Path, final: Path) -> None:
    old = partial.with_name(partial.name + ".old")
    if final.exists():
        final.rename(old)
    partial.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def _write_prompts(folder: Path, session: Session, run: Run) -> None:
    """A folder for each version that the history tells of, and one for the final prompts."""
    for note in notes(session, run.id):
        if note.name == "baseline":
            _write_version(folder / "000-initial", note.data, ("digest", "validation"))
        elif note.name == "proposal":
            about = (
                "epoch",
                "parent",
                "strategy",
                "reasoning",
                "fate",
                "why",
                "digest",
                "batch",
                "validation",
                "paired",
            )
            _write_version(folder / f"{note.data['number']:03}-{note.data['fate']}", note.data, about)
    if final := (run.outcome or {}).get("final"):
        _write_version(folder / "final", final, ("number", "digest"))


def _write_version(folder: Path, data: Json, about: Sequence[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("system_prompt", "output_prompt"):
        (folder / f"{name}.txt").write_text(data[name], encoding="utf-8", newline="")
    _write_json(folder / "about.json", {name: data.get(name) for name in about})


def _write_json(file: Path, value: Json) -> None:
    file.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
