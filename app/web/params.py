"""Reading what an address or a form says; what is wrong is refused with the field named and never reaches a query."""

from __future__ import annotations

from collections.abc import Sequence

from flask import request
from werkzeug.routing import IntegerConverter, Map

from app.services.errors import Invalid, Problem

LARGEST = 2**63 - 1


class RowNumber(IntegerConverter):
    """The ``int`` of our addresses: what no database could hold is simply not found."""

    def __init__(self, map: Map, fixed_digits: int = 0, min: int | None = None, max: int | None = LARGEST) -> None:
        super().__init__(map, fixed_digits, min, max)


def clean(value: str) -> str:
    """The text without NUL and lone surrogates, which no database keeps."""
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8").strip()


def text(name: str, *, longest: int = 200) -> str:
    """A short text of the address, "" when absent."""
    value = clean(request.args.get(name, ""))
    if len(value) > longest:
        raise Invalid([Problem(name, f"may have at most {longest} characters")])
    return value


def choice(name: str, options: Sequence[str], default: str = "") -> str:
    """One of the options, or the default when absent."""
    value = clean(request.args.get(name, ""))
    if value and value not in options:
        raise Invalid([Problem(name, f"must be one of {', '.join(o for o in options if o)}")])
    return value or default


def whole(name: str, *, default: int = 0, low: int = 0, high: int = LARGEST) -> int:
    """A whole number of the address, or the default when absent."""
    value = clean(request.args.get(name, ""))
    if not value:
        return default
    if not (value.isascii() and value.lstrip("-").isdigit() and len(value) < 20 and low <= int(value) <= high):
        raise Invalid([Problem(name, f"must be a whole number from {low} to {high}")])
    return int(value)


def uploaded(text: str) -> str:
    """The text of the file that was sent as "file", else the text that was pasted. Raises: Invalid."""
    upload = request.files.get("file")
    if upload is not None and upload.filename:
        try:
            text = upload.read().decode("utf-8")
        except UnicodeDecodeError:
            raise Invalid([Problem("file", "this is not a UTF-8 text file")]) from None
    if not text.strip():
        raise Invalid([Problem("file", "choose a file, or paste its text")])
    return text
