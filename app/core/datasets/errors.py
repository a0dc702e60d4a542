"""What a file or a split can be refused for; every message is fit for a page and says what to do."""

from __future__ import annotations


class BadFile(Exception):
    """The file cannot be a dataset.

    row: number of the data row from 1; line: number of the line in the file from 1; column: its name or "".
    field: which input of the form is to blame: "file", "input_column", "answer_column" or "image_column".
    """

    def __init__(
        self,
        reason: str,
        *,
        row: int | None = None,
        line: int | None = None,
        column: str = "",
        field: str = "file",
    ) -> None:
        self.reason, self.row, self.line, self.column, self.field = reason, row, line, column, field
        super().__init__(f"{place}: {reason}" if (place := where(row, line, column)) else reason)


class BadSplit(Exception):
    """The rows cannot be divided as asked. field: the input to blame."""

    def __init__(self, message: str, *, field: str = "split") -> None:
        self.field, self.message = field, message
        super().__init__(message)


def where(row: int | None, line: int | None, column: str = "") -> str:
    """``row 3 (line 5), column 'answer'``, as far as it is known."""
    parts = [f"row {row} (line {line})" if row and line else f"row {row}" if row else f"line {line}" if line else ""]
    parts.append(f"column {column!r}" if column else "")
    return ", ".join(part for part in parts if part)
