"""What changed between two texts, word by word, fast on texts of many thousand words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Literal, TypeAlias

from rapidfuzz.distance import Indel, Levenshtein

Op: TypeAlias = tuple[Literal["equal", "delete", "insert"], str]

LARGE = 20_000 * 20_000
"""From this product of word counts on, the shortest edit takes too much memory; one nearly as short is shown instead."""
_TOKEN = re.compile(r"\w+|\n|[^\S\n]+|[^\w\s]")


def word_diff(before: str, after: str) -> list[Op]:
    """The edit from one text to the other as [("equal" | "delete" | "insert", text)].

    The equal and deleted pieces together are the first text, the equal and inserted ones the second. Where both changed, the
    deleted piece comes first.
    """
    return list(_joined(_merged(_steps(before, after))))


def _steps(before: str, after: str) -> Iterator[tuple[str, str, str]]:
    """(equal text, deleted text, inserted text), one of the first or the others filled."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    distance = Indel if len(old) * len(new) < LARGE else Levenshtein
    for op in distance.opcodes(old, new):
        gone, come = "".join(old[op.src_start : op.src_end]), "".join(new[op.dest_start : op.dest_end])
        yield (gone, "", "") if op.tag == "equal" else ("", gone, come)


def _merged(steps: Iterator[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    """Changed words with only a blank between them are one change: a reader cannot follow a patchwork."""
    runs = [(is_equal, list(group)) for is_equal, group in groupby(steps, key=lambda step: bool(step[0]))]
    gone = come = ""
    for at, (is_equal, group) in enumerate(runs):
        if not is_equal:
            gone += "".join(step[1] for step in group)
            come += "".join(step[2] for step in group)
            continue
        text = "".join(step[0] for step in group)
        if text == " " and 0 < at < len(runs) - 1:
            gone, come = gone + text, come + text
            continue
        yield "", gone, come
        yield text, "", ""
        gone = come = ""
    yield "", gone, come


def _joined(steps: Iterator[tuple[str, str, str]]) -> Iterator[Op]:
    for equal, gone, come in steps:
        if equal:
            yield "equal", equal
        if gone:
            yield "delete", gone
        if come:
            yield "insert", come
