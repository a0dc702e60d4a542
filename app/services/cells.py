"""Text in CSV cells: no spreadsheet takes it for a formula, and unprotect() gives back exactly what it was.

A text that begins with a character that starts a formula gets an apostrophe in front, and so does one that begins with an
apostrophe; taking one apostrophe away restores both. Source: OWASP, CSV Injection.
"""

from __future__ import annotations

APOSTROPHE = "'"
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", APOSTROPHE)


def protect(text: str) -> str:
    """The text as it goes into a cell."""
    return APOSTROPHE + text if text.startswith(_STARTS) else text


def unprotect(cell: str) -> str:
    """The text that went into the cell."""
    return cell.removeprefix(APOSTROPHE)
