"""Lines are read one by one and counted; what is held of the file at any time is the present row."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from app.core.datasets.encoding import Encoding
from app.core.datasets.errors import BadFile
from app.core.datasets.limits import Limits


class Overlong(BadFile):
    """The present row has become too long; perhaps a quote was never closed."""


class Lines:
    """The lines of a text file, their ends kept. ``first`` is the number of the line that the present row begins on."""

    def __init__(self, stream: BinaryIO, encoding: Encoding, limits: Limits) -> None:
        stream.seek(0)
        self._text = io.TextIOWrapper(stream, encoding=encoding.codec, errors="strict", newline="")
        self._title = encoding.title
        self._limit = limits.max_row_chars
        self.number = 0
        self.first = 1
        self.held: list[str] = []
        """Lines of the present row."""
        self.chars = 0
        """Characters of the present row."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """The next line. Raises: BadFile naming the line for a NUL, wrong bytes, or a row beyond the limit."""
        line = self._read()
        if not line:
            raise StopIteration
        self.number += 1
        if "\0" in line:
            raise BadFile("there is a NUL character, so this is no text file, or a damaged one", line=self.number)
        self.held.append(line)
        self.chars += len(line)
        if self.chars > self._limit:
            raise Overlong(f"the row has more than {self._limit:,} characters (four times uploads.max_cell_chars)")
        return line

    def next_row(self) -> None:
        """Forget the present row: the next line begins a new one."""
        self.held = []
        self.chars = 0
        self.first = self.number + 1

    def close(self) -> None:
        """Let go of the stream without closing it."""
        self._text.detach()

    def _read(self) -> str:
        try:
            return self._text.readline(self._limit + 1)
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            reason = f"byte 0x{byte:02X} is not {self._title}; save the file as UTF-8"
            raise BadFile(reason, line=self.number + 1) from None
