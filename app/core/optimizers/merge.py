"""Prompts are merged line by line against the one that they come from; no model is needed for that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from app.core.model import Candidate
from app.core.optimizers.examples import parted


class Hunk(NamedTuple):
    """The lines start to end of the base become these lines."""

    start: int
    end: int
    lines: tuple[str, ...]


def merged(base: Candidate, versions: Sequence[Candidate], take: Callable[[], bool] = lambda: True) -> tuple[str, str]:
    """System and output prompt with the changes of all versions; where two changes overlap, the earlier version's counts.

    take: asked once for each change whether it is wanted (a crossover leaves some out).
    """
    return (
        _merged(base.system_prompt, [v.system_prompt for v in versions], take),
        _merged(base.output_prompt, [v.output_prompt for v in versions], take),
    )


def _merged(base: str, versions: Sequence[str], take: Callable[[], bool]) -> str:
    head, examples = parted(base)
    heads = [parted(version) for version in versions]
    lines = head.splitlines()
    hunks = _compatible([hunk for text, _ in heads for hunk in _hunks(lines, text.splitlines()) if take()])
    for hunk in sorted(hunks, key=lambda h: (h.start, h.end), reverse=True):
        lines[hunk.start : hunk.end] = hunk.lines
    block = next((found for _, found in heads if found != examples), examples)
    return "\n".join(lines) + block


def _hunks(base: Sequence[str], version: Sequence[str]) -> list[Hunk]:
    changes = SequenceMatcher(None, base, version, autojunk=False).get_opcodes()
    return [Hunk(i1, i2, tuple(version[j1:j2])) for tag, i1, i2, j1, j2 in changes if tag != "equal"]


def _compatible(hunks: Sequence[Hunk]) -> list[Hunk]:
    """Those that do not overlap an earlier one; lines put in at the same place by several are put in one after another."""
    kept: list[Hunk] = []
    for hunk in hunks:
        same = next((h for h in kept if h.start == h.end == hunk.start == hunk.end), None)
        if same:
            new = tuple(line for line in hunk.lines if line not in same.lines)
            kept[kept.index(same)] = Hunk(same.start, same.end, same.lines + new)
        elif not any(_overlap(hunk, other) for other in kept):
            kept.append(hunk)
    return kept


def _overlap(one: Hunk, other: Hunk) -> bool:
    if one.start == one.end or other.start == other.end:
        return one.start < other.end and other.start < one.end
    return max(one.start, other.start) < min(one.end, other.end)
