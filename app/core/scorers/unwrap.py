"""Reading JSON from a model's answer: the whole text, else the first fenced block, else the first object or array in it."""

from __future__ import annotations

import json
import re
from typing import NoReturn

from app.ports.llm import Json

TRIES = 20
"""Brackets at which reading is tried before giving up: each try may read the whole rest."""
DEPTH = 100
"""Deepest nesting of objects and arrays."""

_FENCE = re.compile(r"```[\w-]*[ \t]*\n(.*?)```", re.DOTALL)
_OPENING = re.compile(r"[{\[]")


class Unreadable(ValueError):
    """There is no JSON to read; the message says why in a few words."""


def _refuse(name: str) -> NoReturn:
    raise Unreadable(f"{name} is not a JSON value")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def loads(text: str) -> Json:
    """The one JSON value that the text is. Raises: Unreadable, also for NaN, infinity and nesting beyond DEPTH."""
    try:
        return _usable(_DECODER.decode(text.strip()))
    except json.JSONDecodeError as error:
        raise Unreadable(f"not JSON at character {error.pos + 1} ({error.msg})") from None
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    except Unreadable:
        raise
    except ValueError:
        raise Unreadable("a number has too many digits") from None


def unwrap(answer: str) -> Json:
    """The JSON value in an answer that may have a code fence or talk around it. Raises: Unreadable."""
    try:
        return loads(answer)
    except Unreadable as error:
        first = error
    for fenced in list(_FENCE.finditer(answer))[:TRIES]:
        try:
            return loads(fenced[1])
        except Unreadable:
            continue
    return _embedded(answer, first)


def _embedded(answer: str, first: Unreadable) -> Json:
    position = 0
    for _ in range(TRIES):
        opening = _OPENING.search(answer, position)
        if opening is None:
            break
        try:
            return _usable(_DECODER.raw_decode(answer, opening.start())[0])
        except (ValueError, RecursionError):
            position = opening.end()
    raise first


def _usable(value: Json, levels: int = DEPTH) -> Json:
    """1e999 reads as infinity, which no comparison and no page can use."""
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise Unreadable("a number is too large")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if levels == 0 and inner:
        raise Unreadable("nested too deeply")
    for item in inner:
        _usable(item, levels - 1)
    return value
