"""What a JSON value that came from elsewhere must look like; whatever does not is refused with its place named."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from app.ports.llm import Json

Check: TypeAlias = Callable[[Json, str], None]
"""Raises Wrong for a value that does not fit; the text is the value's place."""

DEEPEST = 64
"""Levels of nesting in one value."""
LARGEST = 2**31 - 1
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LARGEST_INT = 2**63 - 1


class Wrong(ValueError):
    """A value does not fit. place: where in its line, as ``outcome.test.n``."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place} {message}" if place else message)


def loads(text: bytes) -> Json:
    """One JSON value. Raises: Wrong for anything else, for numbers that no database holds, and for deep nesting."""
    try:
        value = json.loads(text.decode("utf-8"), parse_constant=_refuse, parse_float=_finite, parse_int=_whole)
    except UnicodeDecodeError:
        raise Wrong("", "is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise Wrong("", f"is not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise Wrong("", "is nested too deeply") from None
    if text.count(b"[") + text.count(b"{") > DEEPEST and _depth(value) > DEEPEST:
        raise Wrong("", "is nested too deeply")
    return value


def _refuse(name: str) -> Json:
    raise Wrong("", f"holds {name}, which is no number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise Wrong("", "holds a number that is too large")
    return value


def _whole(digits: str) -> int:
    if len(digits) > 20 or abs(int(digits)) > _LARGEST_INT:
        raise Wrong("", "holds a number that is too large")
    return int(digits)


def _depth(value: Json) -> int:
    level, depth = [value], 0
    while level and depth <= DEEPEST:
        depth += 1
        level = [inner for one in level for inner in _inside(one)]
    return depth


def _inside(value: Json) -> Collection[Json]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def anything(value: Json, place: str) -> None:
    """Any JSON value."""


def flag(value: Json, place: str) -> None:
    """true or false."""
    if not isinstance(value, bool):
        raise Wrong(place, "must be true or false")


def text(most: int | None = None, least: int = 0) -> Check:
    """A text of so many characters."""

    def check(value: Json, place: str) -> None:
        if not isinstance(value, str):
            raise Wrong(place, "must be a text")
        if len(value) < least or (most is not None and len(value) > most):
            raise Wrong(place, f"must have {least} to {most} characters" if most else "must not be empty")

    return check


def digest(value: Json, place: str) -> None:
    """A SHA-256 digest."""
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise Wrong(place, "must be a SHA-256 digest of 64 characters from 0 to 9 and a to f")


def one_of(*options: str) -> Check:
    """One of these texts."""

    def check(value: Json, place: str) -> None:
        if not isinstance(value, str) or value not in options:
            raise Wrong(place, f"must be one of {', '.join(repr(one) for one in options)}")

    return check


def whole(low: int = 0, high: int = LARGEST) -> Check:
    """A whole number in that range."""

    def check(value: Json, place: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Wrong(place, f"must be a whole number from {low} to {high}")

    return check


def number(low: float = -1e300, high: float = 1e300) -> Check:
    """A number in that range."""

    def check(value: Json, place: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise Wrong(place, f"must be a number from {low:g} to {high:g}")

    return check


def maybe(inner: Check) -> Check:
    """null, or what the other check wants."""

    def check(value: Json, place: str) -> None:
        if value is not None:
            inner(value, place)

    return check


def listed(inner: Check, most: int = 1_000_000, least: int = 0) -> Check:
    """A list, each item as the other check wants it."""

    def check(value: Json, place: str) -> None:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise Wrong(place, f"must be a list of {least} to {most} items")
        for number_, item in enumerate(value):
            inner(item, f"{place}[{number_}]")

    return check


def named(inner: Check) -> Check:
    """An object of any keys, each value as the other check wants it."""

    def check(value: Json, place: str) -> None:
        if not isinstance(value, dict):
            raise Wrong(place, "must be an object")
        for key, item in value.items():
            inner(item, f"{place}.{key[:40]}" if place else key[:40])

    return check


def fields(needed: Mapping[str, Check], more: Mapping[str, Check] | None = None, *, closed: bool = False) -> Check:
    """An object with these keys. more: keys that may be missing. closed: other keys are refused."""
    known = {**needed, **(more or {})}

    def check(value: Json, place: str) -> None:
        if not isinstance(value, dict):
            raise Wrong(place, "must be an object")
        for key in needed:
            if key not in value:
                raise Wrong(place, f"has no {key!r}".strip())
        for key, item in value.items():
            if key in known:
                known[key](item, f"{place}.{key}" if place else key)
            elif closed:
                raise Wrong(place, f"has an unknown key {key[:40]!r}".strip())

    return check


def moment(value: Json, place: str) -> None:
    """A moment as ISO 8601 with its time zone."""
    as_moment(value, place)


def as_moment(value: Any, place: str) -> dt.datetime:
    """The moment. Raises: Wrong."""
    try:
        found = dt.datetime.fromisoformat(value)
        if found.tzinfo is None or not 2000 <= found.year <= 2999:
            raise ValueError
        return found.astimezone(dt.UTC)
    except (TypeError, ValueError, OverflowError):
        raise Wrong(place, "must be a moment with its time zone, as 2026-11-26T09:00:00+00:00") from None
