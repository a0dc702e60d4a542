"""Nothing of a file is lost silently: every row that was dropped is reported with its place and the reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from app.ports.llm import Json

LISTED = 10_000
"""Dropped rows that are listed one by one; all of them are counted."""


@dataclass(frozen=True)
class Dropped:
    """A row that was left out. row: data row from 1; line: of the file."""

    row: int
    line: int
    reason: str


@dataclass
class Report:
    """How a file was read."""

    format: str = "csv"
    encoding: str = ""
    delimiter: str = ""
    rows: int = 0
    """Data rows in the file, kept or dropped."""
    kept: int = 0
    dropped: list[Dropped] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    replaced: int = 0
    """Cells in which a character that no database can store was replaced."""

    def drop(self, row: int, line: int, kind: str, detail: str = "") -> None:
        """Leave a row out. kind: what rows are counted by; detail: what is special about this one."""
        self.reasons[kind] += 1
        if len(self.dropped) < LISTED:
            self.dropped.append(Dropped(row, line, f"{kind}: {detail}" if detail else kind))

    @property
    def dropped_total(self) -> int:
        """Rows that were left out, also those that are not listed."""
        return sum(self.reasons.values())

    @property
    def summary(self) -> str:
        """``3 of 10 rows dropped: 2 empty answer, 1 wrong number of cells``; "" when none was."""
        total = self.dropped_total
        told = ", ".join(f"{count} {kind}" for kind, count in self.reasons.most_common())
        return f"{total} of {self.rows} rows dropped: {told}" if total else ""

    def as_json(self) -> dict[str, Json]:
        """For the record and for pages; ``dropped`` holds the first LISTED rows, ``dropped_total`` counts all."""
        return {
            "format": self.format,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "rows": self.rows,
            "kept": self.kept,
            "dropped_total": self.dropped_total,
            "reasons": dict(self.reasons.most_common()),
            "dropped": [{"row": one.row, "line": one.line, "reason": one.reason} for one in self.dropped],
            "notes": self._all_notes(),
        }

    def _all_notes(self) -> list[str]:
        stored = f"{self.replaced} cell(s) held characters that cannot be stored; each became U+FFFD."
        return [*self.notes, *([stored] if self.replaced else [])]
