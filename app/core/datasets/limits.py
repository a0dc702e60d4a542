"""What an imported file may be at most; every limit is a setting of the operator and is named when it is reached."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """bytes of the file, data rows, columns, characters of one cell (the settings uploads.max_...)."""

    max_bytes: int = 200 * 1024 * 1024
    max_rows: int = 1_000_000
    max_columns: int = 200
    max_cell_chars: int = 1_000_000

    @property
    def max_row_chars(self) -> int:
        """Characters of one row: room for a few large cells, so that memory stays flat whatever the file holds."""
        return 4 * self.max_cell_chars
