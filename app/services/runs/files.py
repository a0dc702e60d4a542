"""A run as files: samples as CSV and JSON lines, and the whole run as a folder that appears complete or not at all."""

from __future__ import annotations

import io
import json
import secrets
import shutil
import time
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from app.core.stats.interval import COUNTED
from app.ports.llm import Json
from app.services.cells import CHUNK_CHARS, csv_text
from app.services.runs.record import notes
from app.services.runs.record_files import Counter, Tell, record_entries, record_images
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
from app.store.images import ImageFiles
from app.store.models import Run

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

OF_PROPOSAL = (
    "epoch", "parent", "strategy", "reasoning", "fate", "why", "digest", "batch", "validation", "paired",
)  # fmt: skip
"""What is told of a proposal beside its prompts."""
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


def export_folder(
    session: Session, run: Run, target_dir: Path, *, tell: Tell | None = None, images: ImageFiles | None = None
) -> Path:
    """Write ``target_dir/<run id>`` and return it: spec.json, outcome.json, prompts/, samples.csv, calls.csv, metrics.csv,
    speed.csv, report.html and record/, from which another installation imports it. A folder of an earlier export is replaced.

    tell: called with rows written and rows in all. images: where they are kept, to come along. Raises: OSError.
    """
    run_id = run.id
    final = target_dir / run_id
    target_dir.mkdir(parents=True, exist_ok=True)
    _clear_left_overs(target_dir, run_id)
    partial = target_dir / f".{run_id}.{secrets.token_hex(4)}"
    try:
        partial.mkdir()
        for name, chunks in entries(session, run, tell):
            file = partial / name
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("w", encoding="utf-8", newline="") as target:
                target.writelines(chunks)
        for name, content in record_images(session, run, images) if images else ():
            (partial / name).parent.mkdir(exist_ok=True)
            (partial / name).write_bytes(content)
        _put_in_place(partial, final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return final


def export_zip(session: Session, run: Run, images: ImageFiles | None = None) -> Iterator[bytes]:
    """The same folder as a ZIP file, in portions as they are made."""
    sink, folder = _Sink(), run.id
    with zipfile.ZipFile(sink, "w") as target:
        for name, chunks in entries(session, run):
            about = zipfile.ZipInfo(f"{folder}/{name}")
            about.compress_type = zipfile.ZIP_DEFLATED
            with target.open(about, "w", force_zip64=True) as entry:
                for chunk in chunks:
                    entry.write(chunk.encode("utf-8"))
                    if sink.size >= CHUNK_CHARS:
                        yield sink.take()
        for name, content in record_images(session, run, images) if images else ():
            target.writestr(f"{folder}/{name}", content)
            yield sink.take()
    yield sink.take()


class _Sink(io.RawIOBase):
    """Takes what a ZIP writer writes, and hands it over."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: ReadableBuffer) -> int:
        """Keep a part."""
        part = bytes(data)
        self._parts.append(part)
        self.size += len(part)
        return len(part)

    def take(self) -> bytes:
        """Everything since the last time."""
        whole = b"".join(self._parts)
        self._parts, self.size = [], 0
        return whole


def entries(session: Session, run: Run, tell: Tell | None = None) -> Iterator[tuple[str, Iterable[str]]]:
    """(name, text in portions) of every file of the folder, each to be read before the next one is asked for."""
    counter = Counter(session, run.id, tell)
    about = {
        name: getattr(run, name) for name in ("id", "kind", "name", "status", "reason", "simulated", "cloned_from")
    }
    times = {name: str(getattr(run, name) or "") for name in MOMENTS}
    yield "spec.json", _json(run.spec)
    yield "outcome.json", _json({"run": about | times, "spent": run.spent, "outcome": run.outcome})
    yield from _prompts(session, run)
    yield "report.html", [report_html(session, run)]
    if run.kind == "benchmark":
        from app.services.benchmarks.results import results  # it stands on this package
        from app.services.benchmarks.tables import results_csv

        yield "results.csv", results_csv(session, results(session, run))
    # Last, because they are read in portions of their own.
    yield "metrics.csv", csv_text(METRIC_COLUMNS, list(metric_rows(session, run)))
    yield "speed.csv", csv_text(SPEED_COLUMNS, [flat(line) for line in speed(session, run)])
    yield "samples.csv", csv_text(SAMPLE_COLUMNS, counter.each(sample_rows(session, run)))
    yield "calls.csv", csv_text(CALL_COLUMNS, counter.each(call_rows(session, run)))
    yield from record_entries(session, run, counter)


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


def _prompts(session: Session, run: Run) -> Iterator[tuple[str, Iterable[str]]]:
    """A folder for each version that the history tells of, and one for the final prompts."""
    for note in notes(session, run.id):
        if note.name == "baseline":
            yield from _version("000-initial", note.data, ("digest", "validation"))
        elif note.name == "candidate":
            yield from _version(f"{note.data['number']:03}", note.data, ("title", "digest"))
        elif note.name == "proposal":
            yield from _version(f"{note.data['number']:03}-{note.data['fate']}", note.data, OF_PROPOSAL)
    if final := (run.outcome or {}).get("final"):
        yield from _version("final", final, ("number", "digest"))


def _version(folder: str, data: Json, about: Sequence[str]) -> Iterator[tuple[str, Iterable[str]]]:
    for name in ("system_prompt", "output_prompt"):
        yield f"prompts/{folder}/{name}.txt", [data[name]]
    yield f"prompts/{folder}/about.json", _json({name: data.get(name) for name in about})


def _json(value: Json) -> list[str]:
    return [json.dumps(value, ensure_ascii=False, indent=2) + "\n"]
