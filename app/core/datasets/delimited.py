"""CSV as RFC 4180 has it, with any of four separators; bad quoting is refused, because it would shift every later cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.core.datasets.columns import aliased
from app.core.datasets.encoding import Encoding
from app.core.datasets.errors import BadFile
from app.core.datasets.limits import Limits
from app.core.datasets.lines import Lines, Overlong

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
SAMPLE_CHARS = 1 << 16
SAMPLE_ROWS = 50


@dataclass(frozen=True)
class Record:
    """One record as it stands in the file. number: from 0, the header; line: where it begins."""

    number: int
    line: int
    cells: list[str]
    chars: int


def separator(stream: BinaryIO, encoding: Encoding) -> str:
    """The separator under which the first rows look most like a table; an Excel line ``sep=;`` decides at once."""
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding.codec, errors="replace", newline="")
    sample = text.read(SAMPLE_CHARS)
    text.detach()
    declared = _declared(sample.splitlines()[0]) if sample.strip() else ""
    return declared or max(SEPARATORS, key=lambda candidate: _likelihood(sample, candidate))


def _declared(line: str) -> str:
    text = line.strip('\r\n\ufeff "')
    return text[4:] if text.lower().startswith("sep=") and text[4:] in SEPARATORS else ""


def _likelihood(sample: str, candidate: str) -> tuple[int, float, int]:
    """Known column names, then the share of rows as wide as the header, then the width."""
    _allow_large_cells(len(sample))
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=candidate)
    rows = [row for row, _ in zip((row for row in reader if row), range(SAMPLE_ROWS), strict=False)]
    if len(sample) >= SAMPLE_CHARS and len(rows) < SAMPLE_ROWS:
        rows = rows[:-1] or rows  # the last one is cut off
    if not rows or len(rows[0]) < 2:
        return (0, 0.0, 0)
    header = rows[0]
    return aliased(header), sum(len(row) == len(header) for row in rows) / len(rows), len(header)


def records(lines: Lines, delimiter: str, limits: Limits) -> Iterator[Record]:
    """Every record of the file, the header first; empty lines are passed over.

    Raises: BadFile naming row, line and column when quoting is broken.
    """
    _allow_large_cells(limits.max_row_chars)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number, header = 0, [""]
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _broken(lines, delimiter, number, header, str(error)) from None
        except Overlong as error:
            raise _broken(lines, delimiter, number, header, error.reason, guess=True) from None
        if cells and not (number == 0 and _declared("".join(lines.held))):
            yield Record(number, lines.first, cells, lines.chars)
            header = header if number else cells
            number += 1
        lines.next_row()


def _allow_large_cells(chars: int) -> None:
    """csv's own limit of 131,072 characters holds for the whole process; ours is checked line by line and never above this."""
    csv.field_size_limit(max(csv.field_size_limit(), chars + 1))


def _broken(lines: Lines, delimiter: str, number: int, header: list[str], error: str, guess: bool = False) -> BadFile:
    fault = _fault(lines.held, delimiter)
    if fault is None:
        return BadFile(error, row=number or None, line=lines.first)
    index, offset, closed = fault
    line = lines.first + offset
    if closed:
        reason = (
            f'after the closing quote on line {line} there is more text; write a quote inside a quoted cell twice (""), '
            "and check whether a quote is missing before it"
        )
    elif guess:
        reason = f"{error}: is the quote that is opened on line {line} never closed?"
    else:
        reason = f"the quote that is opened on line {line} is never closed"
    column = header[index].strip() if number and index < len(header) else str(index + 1)
    return BadFile(reason, row=number or None, line=lines.first, column=column)


def _fault(held: list[str], delimiter: str) -> tuple[int, int, bool] | None:
    """Column index, line offset and kind (True: text after the closing quote) of the first fault in one record's lines."""
    index, opened, state = 0, 0, "start"
    for offset, line in enumerate(held):
        for char in line:
            if state == "quoted":
                state = "closing" if char == '"' else state
            elif state == "closing" and char == '"':
                state = "quoted"
            elif char == delimiter:
                index, state = index + 1, "start"
            elif state == "closing" and char not in "\r\n":
                return index, offset, True
            elif state == "start" and char == '"':
                state, opened = "quoted", offset
            elif char not in "\r\n":
                state = "plain"
    return (index, opened, False) if state == "quoted" else None
