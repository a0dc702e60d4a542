"""A run's own rows as files from which another installation imports it, with a manifest that shows when one is cut off."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.ports.images import ImageGone
from app.ports.llm import Json
from app.store.images import ImageFiles
from app.store.models import CallRow, Dataset, Example, Run, SampleRow
from app.store.portable import FORMAT, TABLES, rows_of, run_row

T = TypeVar("T")
PORTION = 500
"""Rows read at once."""
Tell = Callable[[int, int], None]
"""Called with rows written and rows in all, now and then."""


class Counter:
    """Counts the rows of an export as they are written; each sample and call is written twice."""

    def __init__(self, session: Session, run_id: str, tell: Tell | None) -> None:
        self._tell, self._done, self._all = tell, 0, 0
        if tell:
            counts = (select(func.count()).where(model.run_id == run_id) for model in (SampleRow, CallRow))
            self._all = 2 * sum(session.scalar(count) or 0 for count in counts)

    def each(self, rows: Iterable[T]) -> Iterator[T]:
        """The rows, counted."""
        for row in rows:
            self.add(1)
            yield row

    def add(self, count: int) -> None:
        """So many more."""
        self._done += count
        if self._tell and (self._done % PORTION == 0 or count > 1):
            self._tell(min(self._done, self._all), self._all)


@dataclass
class _Marks:
    """What the manifest says of each file."""

    files: dict[str, Json] = field(default_factory=dict)

    def marked(self, name: str, lines: Iterable[str]) -> Iterator[str]:
        """The lines, counted and digested as they go by."""
        mark, size, count = hashlib.sha256(), 0, 0
        for line in lines:
            data = line.encode("utf-8")
            mark.update(data)
            size, count = size + len(data), count + 1
            yield line
        self.files[name] = {"bytes": size, "lines": count, "sha256": mark.hexdigest()}


def record_entries(session: Session, run: Run, counter: Counter) -> Iterator[tuple[str, Iterable[str]]]:
    """(name, lines) of each file, the manifest last. What other runs here find replies by is not among the columns."""
    marks, run_id, dataset_id = _Marks(), run.id, run.dataset_id
    prompt = run.prompt.name if run.prompt else None
    about = {"id": run_id, "origin": run.origin_id, **run_row(run), "prompt": prompt}
    yield "record/run.json", marks.marked("run.json", [_line(about)])
    yield "record/dataset.jsonl", marks.marked("dataset.jsonl", _dataset_lines(session, dataset_id))
    for name, model in TABLES.items():
        portions = rows_of(session, model, run_id, PORTION)
        counted = model in (SampleRow, CallRow)
        yield f"record/{name}", marks.marked(name, _lines(portions, counter if counted else None))
    yield "record/manifest.json", [json.dumps({"format": FORMAT, "files": marks.files}, indent=2) + "\n"]


def _lines(portions: Iterable[list[dict[str, Json]]], counter: Counter | None) -> Iterator[str]:
    for rows in portions:
        yield from (_line(row) for row in rows)
        if counter:
            counter.add(len(rows))


def _dataset_lines(session: Session, dataset_id: int | None) -> Iterator[str]:
    """What is said of the dataset, then its examples."""
    dataset = session.get(Dataset, dataset_id) if dataset_id else None
    if dataset is None:
        return
    about = {name: getattr(dataset, name) for name in ("name", "digest", "source", "report")}
    yield _line(about | {"images": bool((dataset.statistics or {}).get("images"))})
    after = 0
    columns = (Example.row, Example.input, Example.reference, Example.extra, Example.image)
    while True:
        query = select(*columns).where(Example.dataset_id == dataset_id, Example.row > after)
        found = session.execute(query.order_by(Example.row).limit(PORTION)).all()
        session.commit()
        if not found:
            return
        after = found[-1].row
        for row, given, reference, extra, image in found:
            shown = {"image": image} if image else {}
            yield _line({"row": row, "input": given, "reference": reference, "extra": extra, **shown})


def record_images(session: Session, run: Run, files: ImageFiles) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each image of the run's dataset, once. One that is not kept any more is left out."""
    query = select(Example.image).where(Example.dataset_id == run.dataset_id, Example.image.is_not(None))
    digests = {image.get("digest") for image in session.scalars(query)} if run.dataset_id else set()
    session.commit()
    for digest in sorted(digests - {None}):
        with suppress(ImageGone):
            yield f"record/images/{digest}", files.read(digest)


def _line(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
