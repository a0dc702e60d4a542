"""What every database can hold: text without NUL and without lone surrogates; each becomes U+FFFD.

Models and files do send such characters. Clean a text before anything is decided from it, so that a run that is
replayed from the record sees exactly what the first run saw.
"""

from __future__ import annotations

import re

from app.ports.llm import Json

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """The text itself when it can be stored, else a copy with U+FFFD for each character that cannot."""
    if text.isascii() and "\x00" not in text:  # by far the most, and much faster than a search
        return text
    return _UNSTORABLE.sub(_REPLACEMENT, text) if _UNSTORABLE.search(text) else text


def storable_json(value: Json) -> Json:
    """A copy of a JSON value as it comes back from a database: clean text, lists for tuples, keys in their order.

    Raises: TypeError for what JSON cannot hold, ValueError for NaN and infinity.
    """
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {_key(key): storable_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable_json(item) for item in value]
    if isinstance(value, float) and not (float("-inf") < value < float("inf")):
        raise ValueError(f"{value} is not a number that JSON can hold")
    if value is None or isinstance(value, bool | int | float):
        return value
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{key!r} is not a JSON key")
    return storable(key)
