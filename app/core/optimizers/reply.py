"""The optimiser's reply is read leniently: code fences, prose around it, trailing commas and raw line breaks are forgiven."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator

from app.ports.llm import Json

_FENCED = re.compile(r"```[\w-]*\n(.*?)```", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_TRIES = 50
"""Places at which an object may begin that are tried at most; a hostile reply must not take long."""


class Malformed(ValueError):
    """A reply that cannot be used; the message tells the model what to mend."""


def read_object(text: str, keys: Collection[str]) -> dict[str, Json]:
    """The first JSON object in a reply that has one of the keys.

    Raises: Malformed.
    """
    for piece in _pieces(text):
        found = _loads(piece)
        if isinstance(found, dict) and not found.keys().isdisjoint(keys):
            return found
    if not text.strip():
        raise Malformed("it is empty")
    raise Malformed(f"it holds no valid JSON object with {' or '.join(keys)}")


def read_text(found: dict[str, Json], name: str, default: str | None = None) -> str:
    """The text under a name. Raises: Malformed when it is missing without a default, or not a text."""
    value = found.get(name, default)
    if value is None:
        raise Malformed(f'the key "{name}" is missing')
    if not isinstance(value, str):
        raise Malformed(f'"{name}" must be a text, not {type(value).__name__}')
    return value


def _pieces(text: str) -> Iterator[str]:
    """What may be the object, the likeliest first."""
    yield text
    yield from _FENCED.findall(text)
    starts = [match.start() for match in re.finditer(r"\{", text)][:_TRIES]
    for start in starts:
        yield text[start:]


def _loads(piece: str) -> Json:
    """The JSON value at the beginning of a piece, or None; anything may follow it."""
    decoder = json.JSONDecoder(strict=False)
    for candidate in (piece.lstrip(), _without_trailing_commas(piece.lstrip())):
        try:
            return decoder.raw_decode(candidate)[0]
        except (ValueError, RecursionError):
            continue
    return None


def _without_trailing_commas(piece: str) -> str:
    """The piece without a comma before a closing bracket; strings stay as they are."""
    strings: list[str] = []

    def lift(match: re.Match[str]) -> str:
        strings.append(match[0])
        return f'"{len(strings) - 1}"'

    bare = _TRAILING_COMMA.sub(r"\1", _STRING.sub(lift, piece))
    return re.sub(r'"(\d+)"', lambda match: strings[int(match[1])], bare)
