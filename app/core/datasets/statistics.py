"""Statistics are gathered row by row in memory that hardly grows: 24 bytes a row, and the texts of a few answers."""

from __future__ import annotations

import hashlib
import re
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.datasets.normal import canonical_answer, normalised
from app.core.scorers.numeric import last_number
from app.core.scorers.unwrap import Unreadable, loads
from app.ports.llm import Json

MANY = 1000
"""Different answers of which the text is remembered for the distribution."""
SHOWN = 100
"""Answers and conflicts that are listed."""
CLIP = 200
"""Characters of an answer that are shown."""
FEW = 50
"""At most so many different answers are labels, if they also repeat five times on average."""


_LIKE_JSON = re.compile(r'[{\["\d-]|(?:true|false|null)$')


@dataclass(frozen=True, slots=True)
class _Label:
    text: str
    numeric: bool
    json: bool


class Statistics:
    """Collects what ``statistics`` tells about rows."""

    def __init__(self) -> None:
        self._inputs, self._answers, self._rows = array("Q"), array("Q"), array("Q")
        self._input_chars: Counter[int] = Counter()
        self._answer_chars: Counter[int] = Counter()
        self._labels: dict[int, _Label] = {}
        self._numeric = 0
        self._json = 0

    def add(self, row: int, text: str, answer: str, apart: str | None = None) -> None:
        """Count one row. apart: what inputs are told apart by, None for their text."""
        label = canonical_answer(answer)
        key = _hash(label)
        self._rows.append(row)
        self._inputs.append(_hash(normalised(text if apart is None else apart)))
        self._answers.append(key)
        self._input_chars[len(text)] += 1
        self._answer_chars[len(answer)] += 1
        known = self._labels.get(key)
        if known is None:
            known = _Label(label[:CLIP], last_number(label) is not None, _is_json(label))
            if len(self._labels) < MANY:
                self._labels[key] = known
        self._numeric += known.numeric
        self._json += known.json

    def as_json(self) -> dict[str, Json]:
        """What ``statistics`` returns."""
        rows = len(self._rows)
        keys, counts = np.unique(_numbers(self._answers), return_counts=True)
        distinct = len(keys)
        where = np.searchsorted(keys, np.array(list(self._labels), dtype=np.uint64))
        named = [(one.text, n) for one, n in zip(self._labels.values(), counts[where].tolist(), strict=True)]
        named.sort(key=lambda item: (-item[1], item[0]))
        duplicates, conflicts = self._repeats()
        return {
            "rows": rows,
            "labels_distinct": distinct,
            "few_labels": few_labels(distinct, rows),
            "labels": [{"label": label, "count": count} for label, count in named[:SHOWN]],
            "input_chars": _lengths(self._input_chars),
            "answer_chars": _lengths(self._answer_chars),
            "duplicates": duplicates,
            "conflicts": [{"rows": found} for found in conflicts[:SHOWN]],
            "conflicts_total": len(conflicts),
            "answers_numeric": self._numeric,
            "answers_json": self._json,
        }

    def _repeats(self) -> tuple[int, list[list[int]]]:
        """Rows beyond the first of each input, and the rows of every input that has different answers."""
        inputs, answers, rows = (_numbers(a) for a in (self._inputs, self._answers, self._rows))
        order = np.lexsort((rows, inputs))
        inputs, answers, rows = inputs[order], answers[order], rows[order]
        is_first = np.append(True, inputs[1:] != inputs[:-1])[: len(inputs)]
        bounds = np.append(np.flatnonzero(is_first), len(inputs))
        several = np.flatnonzero(np.diff(bounds) > 1)
        groups = [slice(int(bounds[i]), int(bounds[i + 1])) for i in several]
        conflicts = [rows[g].tolist() for g in groups if bool((answers[g] != answers[g.start]).any())]
        return len(inputs) - int(is_first.sum()), sorted(conflicts)


def statistics(rows: Iterable[tuple[int, str, str]]) -> dict[str, Json]:
    """Facts about (row number, input, answer) triples.

    rows; labels_distinct; labels: [{label, count}], commonest first, of the first 1,000 different answers; few_labels: the
    answers are a small set that repeats; input_chars and answer_chars: {min, median, mean, p95, max}; duplicates: rows that
    repeat an earlier row's input (see normal.py); conflicts: [{rows}] of inputs with different answers, conflicts_total of
    them; answers_numeric, answers_json: answers that hold a number, that are JSON.
    """
    gathered = Statistics()
    for row, text, answer in rows:
        gathered.add(row, text, answer)
    return gathered.as_json()


def few_labels(distinct: int, rows: int) -> bool:
    """Whether the answers are a small set that repeats."""
    return distinct <= FEW and rows >= 5 * distinct


def _lengths(counts: Counter[int]) -> dict[str, float | int]:
    """Exact figures from a histogram; percentiles are the smallest length that so many rows do not exceed."""
    total = sum(counts.values())
    if not total:
        return {"min": 0, "median": 0, "mean": 0.0, "p95": 0, "max": 0}
    lengths = sorted(counts)
    mean = sum(length * count for length, count in counts.items()) / total
    median, p95 = (_percentile(counts, lengths, share * total) for share in (0.5, 0.95))
    return {"min": lengths[0], "median": median, "mean": round(mean, 1), "p95": p95, "max": lengths[-1]}


def _percentile(counts: Counter[int], lengths: list[int], rank: float) -> int:
    seen = 0
    for length in lengths:
        seen += counts[length]
        if seen >= rank:
            return length
    return lengths[-1]


def _is_json(text: str) -> bool:
    if not _LIKE_JSON.match(text):
        return False  # most texts: an exception each would take most of the time
    try:
        loads(text)
    except Unreadable:
        return False
    return True


def _hash(text: str) -> int:
    """64 bits: among a million rows two different texts meet by chance once in 40 million files."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _numbers(values: array[int]) -> NDArray[np.uint64]:
    return np.frombuffer(values, dtype=np.uint64) if len(values) else np.empty(0, dtype=np.uint64)
