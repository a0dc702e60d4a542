"""A file is read as a table of texts: streamed, refused with the place when it is broken, never interpreted.

"NA", "null", "007" and " spaces" stay what they are. Rows are numbered from 1 in the order of the file, dropped ones too.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from app.core.datasets import delimited, jsonl
from app.core.datasets.columns import Mapping
from app.core.datasets.encoding import detect
from app.core.datasets.errors import BadFile
from app.core.datasets.limits import Limits
from app.core.datasets.lines import Lines
from app.core.datasets.report import Report
from app.core.storable import storable

JSONL_ENDINGS = (".jsonl", ".ndjson", ".jsonlines")
CSV_ENDINGS = (".csv", ".tsv", ".tab", ".psv")
PEEKED = 100
"""Objects of a JSONL file that are looked at for its columns."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that could be read: texts by column name."""

    number: int
    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Item:
    """A row as an example: input, reference answer, the other columns, and what stands in the column of images."""

    row: int
    line: int
    input: str
    reference: str
    extra: dict[str, str]
    image: str = ""


class Table:
    """An open table. It can be read any number of times; each reading begins a new ``report``."""

    def __init__(self, stream: BinaryIO, filename: str, limits: Limits) -> None:
        self._stream = stream
        self._limits = limits
        self._check_size()
        self._encoding = detect(stream)
        self.format = _format(stream, filename, self._encoding.codec)
        self.delimiter = delimited.separator(stream, self._encoding) if self.format == "csv" else ""
        self.report = self._new_report()
        self.columns = self._header() if self.format == "csv" else self._keys()

    @property
    def encoding(self) -> str:
        """What a person calls the encoding."""
        return self._encoding.title

    def rows(self) -> Iterator[Row]:
        """Every row that can be read; the others go to the report. Raises: BadFile."""
        self.report = self._new_report()
        lines = Lines(self._stream, self._encoding, self._limits)
        try:
            yield from self._csv_rows(lines) if self.format == "csv" else self._jsonl_rows(lines)
        finally:
            lines.close()
        if not self.report.rows:
            raise BadFile("the file has a header but no rows")

    def items(self, mapping: Mapping) -> Iterator[Item]:
        """Every row with an input and an answer; the others go to the report. Raises: BadFile, also when no row is left.

        An image is input enough.
        """
        for row in self.rows():
            text, answer = row.cells.get(mapping.input), row.cells.get(mapping.answer)
            shows = bool(mapping.image and row.cells.get(mapping.image, "").strip())
            if shows:
                text = text or ""
            if text is None or not (text.strip() or shows):
                self.report.drop(row.number, row.line, "empty input")
            elif answer is None or not answer.strip():
                self.report.drop(row.number, row.line, "empty answer")
            else:
                self.report.kept += 1
                yield self._item(row, text, answer, mapping)
        if not self.report.kept:
            first = self.report.dropped[0]
            raise BadFile(f"no row is left ({self.report.summary}); the first one: {first.reason}", line=first.line)

    def _item(self, row: Row, text: str, answer: str, mapping: Mapping) -> Item:
        chosen = (mapping.input, mapping.answer, mapping.image)
        extra = {key: self._clean(cell) for key, cell in row.cells.items() if key not in chosen}
        image = row.cells.get(mapping.image, "") if mapping.image else ""
        return Item(row.number, row.line, self._clean(text), self._clean(answer), extra, image)

    def _clean(self, text: str) -> str:
        clean = storable(text)
        self.report.replaced += clean is not text
        return clean

    def _new_report(self) -> Report:
        notes = [self._encoding.note] if self._encoding.note else []
        return Report(format=self.format, encoding=self.encoding, delimiter=self.delimiter, notes=notes)

    def _check_size(self) -> None:
        size = self._stream.seek(0, os.SEEK_END)
        if size > self._limits.max_bytes:
            limit = self._limits.max_bytes / 2**20
            raise BadFile(f"the file has {size / 2**20:.1f} MB, more than {limit:g} MB (setting uploads.max_mb)")

    def _header(self) -> tuple[str, ...]:
        lines = Lines(self._stream, self._encoding, self._limits)
        try:
            first = next(delimited.records(lines, self.delimiter, self._limits), None)
        finally:
            lines.close()
        if first is None:
            raise BadFile("the file is empty")
        names = tuple(cell.strip().lstrip("\ufeff") or f"column {i}" for i, cell in enumerate(first.cells, 1))
        self._check_width(names, first.line)
        for index, name in enumerate(names):
            if name in names[:index]:
                both = f"columns {names.index(name) + 1} and {index + 1} have the same name; rename one of them"
                raise BadFile(both, line=first.line, column=name[:100])
        return names

    def _check_width(self, names: Collection[str], line: int) -> None:
        if len(names) > self._limits.max_columns:
            limit = f"more than {self._limits.max_columns} (setting uploads.max_columns)"
            raise BadFile(f"there are {len(names)} columns, {limit}", line=line)

    def _keys(self) -> tuple[str, ...]:
        lines = Lines(self._stream, self._encoding, self._limits)
        try:
            keys = {key: None for entry in islice(jsonl.entries(lines), PEEKED) for key in entry.cells}
        finally:
            lines.close()
        if not keys:
            raise BadFile("the file is empty" if lines.number == 0 else "the file has no rows with fields")
        return tuple(keys)

    def _csv_rows(self, lines: Lines) -> Iterator[Row]:
        width = len(self.columns)
        for record in islice(delimited.records(lines, self.delimiter, self._limits), 1, None):
            self._count()
            cells = record.cells
            if len(cells) > width and not any(cells[width:]):
                cells = cells[:width]  # separators at the end of a line, as spreadsheets write them
            if len(cells) != width:
                detail = f"{len(cells)} where the header has {width}"
                self.report.drop(record.number, record.line, "wrong number of cells", detail)
                continue
            row = Row(record.number, record.line, dict(zip(self.columns, cells, strict=True)))
            if self._fits(row, record.chars):
                yield row

    def _jsonl_rows(self, lines: Lines) -> Iterator[Row]:
        for entry in jsonl.entries(lines):
            self._count()
            self._check_width(entry.cells, entry.line)
            row = Row(entry.number, entry.line, entry.cells)
            if self._fits(row, entry.chars):
                yield row

    def _count(self) -> None:
        self.report.rows += 1
        if self.report.rows > self._limits.max_rows:
            raise BadFile(f"the file has more than {self._limits.max_rows:,} rows (setting uploads.max_rows)")

    def _fits(self, row: Row, chars: int) -> bool:
        limit = self._limits.max_cell_chars
        if chars <= limit:
            return True
        long = next(((name, len(cell)) for name, cell in row.cells.items() if len(cell) > limit), None)
        if long:
            detail = (
                f"{long[1]:,} characters in column {long[0]!r}, more than {limit:,} (setting uploads.max_cell_chars)"
            )
            self.report.drop(row.number, row.line, "cell too long", detail)
        return long is None


def read_table(stream: BinaryIO, filename: str, *, limits: Limits | None = None) -> Table:
    """Open a seekable binary stream as a table. CSV or JSONL is told by the name's ending, else by the first character.

    Raises: BadFile when the file is empty, binary, too large, or its header is wrong; later faults come from reading rows.
    """
    return Table(stream, filename, limits or Limits())


def _format(stream: BinaryIO, filename: str, codec: str) -> str:
    name = filename.lower()
    if name.endswith(JSONL_ENDINGS):
        return "jsonl"
    if name.endswith(CSV_ENDINGS):
        return "csv"
    stream.seek(0)
    start = stream.read(4096).decode(codec, errors="ignore").lstrip("\ufeff \t\r\n")
    if start.startswith("[") and name.endswith(".json"):
        raise BadFile("this is one JSON array; write one object per line (JSONL) and import that")
    return "jsonl" if start.startswith("{") else "csv"
