"""The first reading of a record: every fault is found, and everything is counted, before anything is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from app.core.datasets import Statistics
from app.core.pictures import marked as told_apart
from app.ports.llm import Json
from app.services import pictures
from app.services.pictures import Loader
from app.services.transfer.fitting import Fitting
from app.services.transfer.history import DATA_AT_WILL, OUTCOMES, SPECS
from app.services.transfer.images import Images
from app.services.transfer.rows import (
    DATASET_SHAPE,
    EXAMPLE_SHAPE,
    MANIFEST_SHAPE,
    REPORT_SHAPE,
    ROWS,
    RUN_SHAPE,
    UNIQUE,
)
from app.services.transfer.shapes import Check, Wrong, loads
from app.services.transfer.source import MANIFEST, RECORD, Limits, Lines, Source, refuse
from app.services.transfer.source import whole as read_whole
from app.store.portable import FORMAT, TABLES

LARGEST_MANIFEST = 64 * 1024
LARGEST_RUN = 64 * 2**20
"""Bytes of run.json."""
RUN, DATASET = "run.json", "dataset.jsonl"
Tell = Callable[[int, int], None]
"""Called with the bytes that were read and the whole of them; the record is read twice."""


@dataclass
class Checked:
    """A record without a fault. run: run.json. dataset: its head, None for a run without one; statistics: counted anew.

    rows: row numbers of the dataset's examples; images: what it keeps of their images, by row. digest: of the manifest, which
    marks the whole content. bytes: of all files but images.
    """

    run: Json
    digest: str
    bytes: int
    dataset: Json = None
    statistics: Json = None
    rows: list[int] = field(default_factory=list)
    images: dict[int, Json] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)


def check(source: Source, limits: Limits, tell: Tell | None = None, loader: Loader | None = None) -> Checked:
    """Read everything once. loader: how images are kept here. Raises: Invalid, naming file and line."""
    return _Check(source, limits, tell, loader).go()


def parsed(line: bytes, shape: Check, place: str) -> Json:
    """A line as JSON that fits. Raises: Invalid."""
    try:
        value = loads(line)
        shape(value, "")
    except Wrong as wrong:
        raise refuse(place, str(wrong)) from None
    return value


class _Check:
    """One reading."""

    def __init__(self, source: Source, limits: Limits, tell: Tell | None, loader: Loader | None) -> None:
        self._source, self._limits, self._tell = source, limits, tell
        manifest = read_whole(source, MANIFEST, LARGEST_MANIFEST)
        about = parsed(manifest, MANIFEST_SHAPE, MANIFEST)
        if about["format"] != FORMAT:
            raise refuse(MANIFEST, f"the format is {about['format']!r}; this release reads {FORMAT!r}")
        self._files: dict[str, Json] = about["files"]
        self._whole = sum(one["bytes"] for one in self._files.values())
        self._read = 0
        self._fitting: Fitting
        self._images = Images(source, loader, limits.unpacked - self._whole)
        self.found = Checked({}, hashlib.sha256(manifest).hexdigest(), self._whole)

    def go(self) -> Checked:
        """Everything, in order."""
        self._refuse_sizes()
        self.found.run = self._run()
        self._fitting = Fitting(self.found.run)
        if self._has_data():
            self._dataset()
        for name, shape in ROWS.items():
            if name in self._files:
                self._rows(name, shape)
        self.found.files = set(self._files)
        return self.found

    def _refuse_sizes(self) -> None:
        known = {RUN, DATASET, *TABLES}
        for name in self._files:
            if name not in known:
                raise refuse(MANIFEST, f"names a file {name[:60]!r}, which no record has")
        for name in known:
            size = self._source.size(f"{RECORD}/{name}")
            said = self._files.get(name)
            if said is None and size is not None:
                raise refuse(f"{RECORD}/{name}", "is not named in the manifest")
            if said is not None and size != said["bytes"]:
                told = (
                    "is not there"
                    if size is None
                    else f"has {size:,} bytes and not {said['bytes']:,}; it was cut off or changed"
                )
                raise refuse(f"{RECORD}/{name}", told)
        if RUN not in self._files:
            raise refuse(MANIFEST, f"names no {RUN}")
        if self._whole > self._limits.unpacked:
            most = self._limits.unpacked // 2**20
            raise refuse(
                "", f"the record has {self._whole / 2**20:,.0f} MB unpacked; uploads.max_unpacked_mb allows {most:,}"
            )

    def _lines(self, name: str) -> Iterator[tuple[str, bytes]]:
        """(place, line) of a file, which must have the manifest's digest in the end."""
        lines = Lines(self._source, f"{RECORD}/{name}")
        count = 0
        for count, line in lines:
            yield f"{RECORD}/{name}, line {count}", line
            if count % 500 == 0:
                self._told(lines.size)
        if lines.digest != self._files[name]["sha256"] or count != self._files[name]["lines"]:
            raise refuse(f"{RECORD}/{name}", "is not what the manifest says; it was cut off or changed")
        self._told(lines.size)
        self._read += lines.size

    def _told(self, more: int) -> None:
        if self._tell:
            self._tell(self._read + more, 2 * self._whole)

    def _run(self) -> Json:
        place, content = f"{RECORD}/{RUN}", read_whole(self._source, f"{RECORD}/{RUN}", LARGEST_RUN)
        if hashlib.sha256(content).hexdigest() != self._files[RUN]["sha256"]:
            raise refuse(place, "is not what the manifest says; it was cut off or changed")
        run = parsed(content, RUN_SHAPE, place)
        kind = run["kind"]
        if kind not in SPECS:
            raise refuse(place, f"runs of the kind {kind!r} cannot be imported here; known: {', '.join(SPECS)}")
        try:
            SPECS[kind](run["spec"], "spec")
            if run["outcome"] is not None:
                OUTCOMES[kind](run["outcome"], "outcome")
        except Wrong as wrong:
            raise refuse(place, str(wrong)) from None
        return run

    def _has_data(self) -> bool:
        """Whether the run has a dataset, which must be in the record then, and else must not."""
        told = bool((self.found.run["spec"].get("dataset") or {}).get("digest"))
        said = self._files.get(DATASET, {"bytes": 0})
        if told or self.found.run["kind"] not in DATA_AT_WILL:
            if DATASET not in self._files:
                raise refuse(MANIFEST, f"names no {DATASET}")
            return True
        if said["bytes"]:
            raise refuse(f"{RECORD}/{DATASET}", "holds rows, and the run has no dataset")
        return False

    def _dataset(self) -> None:
        counted, marked, last = Statistics(), hashlib.sha256(), 0
        for place, line in self._lines(DATASET):
            if self.found.dataset is None:
                self.found.dataset = parsed(line, DATASET_SHAPE, place)
                parsed_report(self.found.dataset["report"], place)
                continue
            row = parsed(line, EXAMPLE_SHAPE, place)
            if row["row"] <= last:
                raise refuse(place, f"row {row['row']} comes after row {last}; rows must be in order, each once")
            last = row["row"]
            picture = self._images.take(row["row"], row.get("image"), place)
            counted.add(row["row"], row["input"], row["reference"], told_apart(row["input"], picture))
            for words in (row["input"], row["reference"], *([picture.mark] if picture else [])):
                data = words.encode("utf-8", "surrogatepass")
                marked.update(len(data).to_bytes(8, "big") + data)
            self.found.rows.append(row["row"])
        place = f"{RECORD}/{DATASET}"
        if self.found.dataset is None or not self.found.rows:
            raise refuse(place, "holds no rows")
        if marked.hexdigest() != self.found.dataset["digest"] or self.found.dataset["digest"] != _digest(
            self.found.run
        ):
            raise refuse(place, "its rows are not those of the run's dataset")
        self._count_images(counted.as_json())

    def _count_images(self, statistics: Json) -> None:
        images = self._images.found
        if bool(images) != self.found.dataset["images"]:
            raise refuse(f"{RECORD}/{DATASET}", "its rows do not have the images that it speaks of")
        self.found.images = images
        self.found.statistics = statistics | ({"images": pictures.figures(images)} if images else {})

    def _rows(self, name: str, shape: Check) -> None:
        column, seen = UNIQUE.get(name), set()
        for place, line in self._lines(name):
            row = parsed(line, shape, place)
            if column and row[column] is not None:
                mark = hash(row[column])
                if mark in seen:
                    raise refuse(place, f"its {column} stood in an earlier line already")
                seen.add(mark)
            try:
                self._fitting.check(name, row)
            except Wrong as wrong:
                raise refuse(place, str(wrong)) from None


def parsed_report(report: Json, place: str) -> None:
    """Raises: Invalid."""
    try:
        REPORT_SHAPE(report, "report")
    except Wrong as wrong:
        raise refuse(place, str(wrong)) from None


def _digest(run: Json) -> str:
    return str(run["spec"]["dataset"]["digest"])
