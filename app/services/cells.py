"""Text in CSV cells: no spreadsheet takes it for a formula, and unprotect() gives back exactly what it was.

A text that begins with a character that starts a formula gets an apostrophe in front, and so does one that begins with an
apostrophe; taking one apostrophe away restores both. Source: OWASP, CSV Injection.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

CHUNK_CHARS = 64 * 1024
APOSTROPHE = "'"
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", APOSTROPHE)


def protect(text: str) -> str:
    """The text as it goes into a cell."""
    return APOSTROPHE + text if text.startswith(_STARTS) else text


def unprotect(cell: str) -> str:
    """The text that went into the cell."""
    return cell.removeprefix(APOSTROPHE)


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Rows as CSV text in portions. Missing values are empty, lists and objects are JSON, numbers are as Python writes them."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in columns])
        if buffer.tell() >= CHUNK_CHARS:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return protect(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        return protect(json.dumps(value, ensure_ascii=False))
    return value
