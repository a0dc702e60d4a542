"""A prompt is cut into units that can be left out one by one: sentences, list items, blocks such as code, and examples."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from app.core.optimizers.examples import CLOSE, OPEN, parted
from app.core.templates import placeholders
from app.core.tokens import estimated_tokens

Kind: TypeAlias = Literal["sentence", "heading", "item", "block", "tag", "example"]

_FENCE = re.compile(r"\s*(```+|~~~+)")
_ITEM = re.compile(r"\s*(?:[-*+•]|\(?(?:\d{1,3}|[A-Za-z]|[ivx]{1,4})[.)])\s+\S")
_TAG = re.compile(r"\s*</?[A-Za-z][\w:-]*(?:\s[^<>]*)?>\s*$")
_HEADING = re.compile(r"\s*#{1,6}\s")
_LEADS = re.compile(r".*:\s*$")
_TABLE = re.compile(r"\s*\|")
_DATA = re.compile(r"\s*[{\[]")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]*_`]*(\s+)(?=[^\sa-z])|[。！？]()")
_LINE_END = re.compile(r"[ \t]*\n[ \t]*")
_ENDED = (".", "!", "?", ":", ";", "…", '"', "”", ")", "`", "。", "！", "？")
_ABBREVIATED = re.compile(r"(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|approx|ca|mr|mrs|ms|dr)\.$", re.IGNORECASE)
_EXAMPLE = re.compile(r"\n\n(?=Input: )")
_WORD = re.compile(r"\w")

LONGEST_DATA = 200
"""Lines of JSON that are one unit at the most."""


@dataclass(frozen=True)
class Unit:
    """One unit. prompt: "system_prompt" or "output_prompt". before: the white space between it and what stands before it.

    fixed: why it must not be left out; "" when it may.
    """

    prompt: str
    kind: Kind
    text: str
    before: str
    fixed: str = ""

    @property
    def tokens(self) -> int:
        """About how many tokens it takes."""
        return estimated_tokens(self.text)


def cut(name: str, prompt: str, locked: Sequence[str] = ()) -> list[Unit]:
    """The units of a prompt in order. name: which of the two prompts it is. locked: texts that must stay."""
    head, block = parted(prompt)
    units = _with_gaps(name, head, _spans(head))
    held = _held(head, locked)
    at, found = 0, []
    for unit in units:
        start = at + len(unit.before)
        at = start + len(unit.text)
        found.append(replace(unit, fixed=_fixed(unit, any(held[start:at]))))
    inner = block.strip().removeprefix(OPEN).removesuffix(CLOSE).strip("\n") if block else ""
    only_there = [text for text in locked if text not in head]
    for shown in _EXAMPLE.split(inner) if inner else ():
        unit = Unit(name, "example", shown, "\n\n")
        found.append(replace(unit, fixed=_fixed(unit, any(text in shown for text in only_there))))
    return found


def without(prompt: str, units: Sequence[Unit], dropped: Collection[int]) -> str:
    """The prompt without some of its units. units: all of cut(); dropped: places in it."""
    if not dropped:
        return prompt
    out, gap, examples = "", "", False
    for place, unit in enumerate(units):
        gap = max(gap, unit.before, key=lambda space: (space.count("\n"), len(space)))
        if place in dropped:
            continue
        if unit.kind == "example" and not examples:
            gap, examples = f"\n\n{OPEN}\n", True
        out += (gap if out else gap.lstrip() if place else unit.before) + unit.text
        gap = ""
    return f"{out}\n{CLOSE}" if examples else out


def _fixed(unit: Unit, is_locked: bool) -> str:
    if is_locked:
        return "it is locked"
    if names := placeholders(unit.text):
        return f"it holds the placeholder {{{{{names[0]}}}}}"
    if unit.kind == "tag":
        return "it marks a section"
    return "" if _WORD.search(unit.text) else "it has no words"


def _held(head: str, locked: Sequence[str]) -> bytearray:
    """For each character whether it belongs to a locked text."""
    held = bytearray(len(head))
    for text in locked:
        for found in re.finditer(re.escape(text), head):
            held[found.start() : found.end()] = b"\1" * len(text)
    return held


def _with_gaps(name: str, head: str, spans: Iterator[tuple[Kind, int, int]]) -> list[Unit]:
    units, last = [], 0
    for kind, start, end in spans:
        units.append(Unit(name, kind, head[start:end], head[last:start]))
        last = end
    return units


def _spans(head: str) -> Iterator[tuple[Kind, int, int]]:
    """Kind, start and end of each unit; only white space lies between them."""
    lines, starts, at = head.splitlines(keepends=True), [], 0
    for line in lines:
        starts.append(at)
        at += len(line)
    number = 0
    while number < len(lines):
        if not lines[number].strip():
            number += 1
            continue
        kind, size = _group(lines, number)
        text = "".join(lines[number : number + size])
        lead = len(text) - len(text.lstrip())
        start, body = starts[number] + lead, text.strip()
        if kind == "sentence":
            yield from ((kind, start + a, start + b) for a, b in _sentences(body))
        else:
            yield kind, start, start + len(body)
        number += size


def _group(lines: Sequence[str], at: int) -> tuple[Kind, int]:
    """What begins at a line, and how many lines belong to it."""
    first = lines[at]
    if fence := _FENCE.match(first):
        return "block", 1 + _while(lines, at, lambda line: not line.strip().startswith(fence[1]))
    if _TAG.match(first):
        return "tag", 1
    if _TABLE.match(first):
        return "block", _while(lines, at, lambda line: bool(_TABLE.match(line)))
    if _ITEM.match(first):
        indent = _indent(first)
        return "item", _while(lines, at, lambda line: _indent(line) > indent and not _starts_anew(line))
    if _DATA.match(first) and (size := _balanced(lines, at)) > 1:
        return "block", size
    if _HEADING.match(first) or _LEADS.match(first):
        return "heading", 1
    return "sentence", _while(lines, at, lambda line: bool(line.strip()) and not _starts_anew(line))


def _while(lines: Sequence[str], at: int, belongs: Callable[[str], bool]) -> int:
    """How many lines: the one at the place and those after it that belong to it."""
    last = at + 1
    while last < len(lines) and belongs(lines[last]):
        last += 1
    return last - at


def _starts_anew(line: str) -> bool:
    return any(pattern.match(line) for pattern in (_FENCE, _TAG, _TABLE, _ITEM, _HEADING))


def _indent(line: str) -> int:
    """Columns before the text; -1 for a blank line."""
    wide = line.expandtabs(4)
    return len(wide) - len(wide.lstrip()) if line.strip() else -1


def _balanced(lines: Sequence[str], at: int) -> int:
    """Lines until every bracket that was opened is closed; 1 when that does not happen within LONGEST_DATA."""
    depth = 0
    for size, line in enumerate(lines[at : at + LONGEST_DATA], start=1):
        depth += sum(line.count(sign) for sign in "{[") - sum(line.count(sign) for sign in "}]")
        if depth <= 0:
            return size
    return 1


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence. A line that goes on with a small letter after no full stop was only wrapped."""
    ends = [
        m for m in _SENTENCE_END.finditer(text) if not _ABBREVIATED.search(text, max(0, m.start() - 10), m.start() + 1)
    ]
    cuts = [(m.start(m.lastindex or 0), m.end()) for m in ends]
    cuts += [(m.start(), m.end()) for m in _LINE_END.finditer(text) if not _wrapped(text, m)]
    at = 0
    for start, end in sorted(cuts):
        if start > at:
            yield at, start
        at = max(at, end)
    if at < len(text):
        yield at, len(text)


def _wrapped(text: str, line_end: re.Match[str]) -> bool:
    return text[line_end.end() : line_end.end() + 1].islower() and not text[: line_end.start()].endswith(_ENDED)
