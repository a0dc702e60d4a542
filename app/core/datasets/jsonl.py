"""JSON Lines: every line is one object; numbers keep the digits they were written with, null counts as absent."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from app.core.datasets.errors import BadFile
from app.core.datasets.lines import Lines
from app.core.storable import storable


@dataclass(frozen=True)
class Entry:
    """One object as texts by key. number: of the data row from 1."""

    number: int
    line: int
    cells: dict[str, str]
    chars: int


class _Int(int):
    text: str


class _Float(float):
    text: str


def entries(lines: Lines) -> Iterator[Entry]:
    """Every object of the file; blank lines are passed over. Raises: BadFile naming row and line."""
    number = 0
    for line in lines:
        if line.strip():
            number += 1
            yield Entry(number, lines.number, _cells(line, number, lines.number), lines.chars)
        lines.next_row()


def _cells(line: str, number: int, line_number: int) -> dict[str, str]:
    try:
        value = _DECODER.decode(line.strip())
        if isinstance(value, dict):
            return {key: _text(item) for key, item in value.items() if item is not None}
    except json.JSONDecodeError as error:
        hint = "; JSONL has one whole object on each line" if number == 1 else ""
        raise BadFile(
            f"not JSON at character {error.pos + 1}: {error.msg}{hint}", row=number, line=line_number
        ) from None
    except RecursionError:
        raise BadFile("nested too deeply", row=number, line=line_number) from None
    except _Refused as error:
        raise BadFile(error.reason, row=number, line=line_number, column=error.key) from None
    except ValueError:
        raise BadFile("a number has too many digits", row=number, line=line_number) from None
    what = "an array" if isinstance(value, list) else "no object"
    raise BadFile(f"this line is {what}; write one object per line", row=number, line=line_number)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, _Int | _Float):
        return value.text
    return json.dumps(value, ensure_ascii=False)


class _Refused(ValueError):
    def __init__(self, reason: str, key: str = "") -> None:
        self.reason, self.key = reason, key
        super().__init__(reason)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = {storable(key): value for key, value in pairs}
    if len(found) != len(pairs):
        keys = Counter(storable(key) for key, _ in pairs)
        raise _Refused("the key is there twice in one object", keys.most_common(1)[0][0])
    return found


def _int(text: str) -> _Int:
    value = _Int(text)
    value.text = text
    return value


def _float(text: str) -> _Float:
    value = _Float(text)
    if not math.isfinite(value):
        raise _Refused(f"the number {text[:40]} is too large")
    value.text = text
    return value


def _constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is not a JSON value")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_int, parse_float=_float, parse_constant=_constant)
