"""One value against one parameter: taken as it is, brought into range, or refused in words."""

from __future__ import annotations

import json
import math

from app.core.params.spec import Adjustment, Param
from app.core.params.universal import EFFORT
from app.ports.llm import Json

LONGEST_TEXT = 200
LARGEST = 2**63
"""Whole numbers beyond it are a slip, and no database keeps them."""
LONGEST_PASSED = 20_000
"""Characters of JSON that one parameter may hand through."""


class Refused(Exception):
    """A value that cannot be meant. The message says what to write instead."""


def checked(param: Param, value: Json) -> tuple[Json, Adjustment | None]:
    """The value as it is sent, and what was changed about it. Raises: Refused."""
    if param.kind in ("float", "int"):
        return _number(param, value)
    if param.kind == "texts":
        return _texts(param, value)
    if param.kind == "bool":
        if not isinstance(value, bool):
            raise Refused(f"must be true or false, not {shown(value)}")
        return value, None
    return _choice(param, value)


def _choice(param: Param, value: Json) -> tuple[Json, Adjustment | None]:
    if isinstance(value, str) and value in param.choices:
        return value, None
    if param.name == EFFORT.name and isinstance(value, str) and value in EFFORT.choices:
        place = EFFORT.choices.index(value)
        nearest = min(param.choices, key=lambda one: abs(EFFORT.choices.index(one) - place))
        return nearest, Adjustment(param.name, value, nearest, "clamp", f"it takes {param.range}")
    raise Refused(f"must be one of {', '.join(param.choices)}, not {shown(value)}")


def _number(param: Param, value: Json) -> tuple[Json, Adjustment | None]:
    whole = param.kind == "int"
    wanted = "a whole number" if whole else "a number"
    if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
        raise Refused(f"must be {wanted}, not {shown(value)}")
    if whole and value != int(value):
        raise Refused(f"must be {wanted}, not {shown(value)}")
    number = int(value) if whole else value
    if param.low is not None and number < param.low:
        return _clamped(param, value, param.low)
    if param.high is not None and number > param.high:
        return _clamped(param, value, param.high)
    if whole and abs(number) > LARGEST:
        raise Refused(f"must be {wanted}, not {shown(value)}")
    return number, None


def _finite(value: float) -> bool:
    return abs(value) <= LARGEST if isinstance(value, int) else math.isfinite(value)


def _clamped(param: Param, value: Json, end: float) -> tuple[Json, Adjustment]:
    nearest = int(end) if float(end).is_integer() else end
    return nearest, Adjustment(param.name, value, nearest, "clamp", f"it takes {param.range}")


def _texts(param: Param, value: Json) -> tuple[Json, Adjustment | None]:
    texts = [value] if isinstance(value, str) else value
    sound = isinstance(texts, list | tuple) and all(
        isinstance(one, str) and 0 < len(one) <= LONGEST_TEXT for one in texts
    )
    if not sound or not texts:
        raise Refused(f"must be a text, or a list of texts, of 1 to {LONGEST_TEXT} characters each, not {shown(value)}")
    kept = list(texts)
    if param.high is not None and len(kept) > param.high:
        first = kept[: int(param.high)]
        return first, Adjustment(param.name, kept, first, "clamp", f"it takes {param.range}; the first are kept")
    return kept, None


def passable(value: Json) -> str:
    """Why a value cannot be handed through, "" when it can."""
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return "must be a JSON value"
    return f"is longer than {LONGEST_PASSED:,} characters" if len(text) > LONGEST_PASSED else ""


def shown(value: Json) -> str:
    """A value as a message quotes it."""
    try:
        return repr(value)[:80]
    except (ValueError, RecursionError):  # a number of thousands of digits, or nested without end
        return "that"
