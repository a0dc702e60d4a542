"""Rows are divided by their texts and a seed alone: duplicates stay together, answers are spread evenly, order is ignored."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.core.datasets.errors import BadSplit
from app.core.datasets.normal import canonical_answer, normalised
from app.core.datasets.statistics import few_labels

PARTS: Final = ("train", "validation", "test")
NO_TEST_BELOW = 30
"""With fewer rows than this no test split is cut off: it could show nothing."""
SINGLES = ""
"""The stratum of every answer that does not repeat."""


@dataclass(frozen=True)
class Split:
    """Row numbers of each part, ascending.

    digest: marks which texts are in which part. It depends on the texts, the ratios and the seed, not on the order of the
    rows nor on their numbers: the same rows in another order give the same digest.
    notes: what a person should hear, one sentence each.
    """

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]
    digest: str
    notes: tuple[str, ...]

    def part_of(self) -> dict[int, str]:
        """Row number -> "train", "validation" or "test"."""
        return {row: part for part in PARTS for row in getattr(self, part)}


@dataclass
class _Group:
    """Rows that are near duplicates of each other."""

    key: str
    rows: list[int] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    texts: list[bytes] = field(default_factory=list)

    @property
    def answer(self) -> str:
        """Its commonest answer; the smallest of several."""
        return min(self.answers, key=lambda answer: (-self.answers[answer], answer))


def split(rows: Iterable[tuple[int, str, str]], ratios: Sequence[int] = (60, 20, 20), seed: int = 42) -> Split:
    """Divide (row number, input, answer) triples into train, validation and test.

    ratios: shares in percent that sum to 100; train and validation must not be 0, test may. Parts come as close to the
    ratios as whole groups of near duplicates allow, within every answer that repeats and over all.
    Raises: BadSplit when the ratios are wrong or a part would be empty.
    """
    groups = _groups(rows)
    total = sum(len(group.rows) for group in groups)
    shares, notes = _shares(ratios, total)
    parts = _assign(_strata(groups, seed), shares)
    for part, share in zip(PARTS, shares, strict=True):
        if share and not parts[part]:
            raise BadSplit(_empty(part, share, total, len(groups)))
    notes += _said_aloud(groups, shares)
    numbers = {part: tuple(sorted(row for group in parts[part] for row in group.rows)) for part in PARTS}
    return Split(**numbers, digest=_digest(parts), notes=tuple(notes))


def _groups(rows: Iterable[tuple[int, str, str]]) -> list[_Group]:
    groups: dict[str, _Group] = {}
    for row, text, answer in rows:
        key = normalised(text)
        group = groups.setdefault(key, _Group(key))
        group.rows.append(row)
        group.answers[canonical_answer(answer)] += 1
        group.texts.append(_hash(text, answer))
    return list(groups.values())


def _shares(ratios: Sequence[int], total: int) -> tuple[list[float], list[str]]:
    if len(ratios) != 3 or any(ratio < 0 for ratio in ratios) or sum(ratios) != 100:
        raise BadSplit("write the shares of train, validation and test as three percentages that sum to 100: 60/20/20")
    train, validation, test = ratios
    for name, ratio in (("train", train), ("validation", validation)):
        if ratio == 0:
            raise BadSplit(f"the {name} share must not be 0: a training learns from train and is judged on validation")
    if test == 0:
        return [train / 100, validation / 100, 0.0], [
            "There is no test split: the result cannot be confirmed on unseen rows."
        ]
    if total < NO_TEST_BELOW:
        both = train + validation
        note = (
            f"Only {total} rows: under {NO_TEST_BELOW} there is no test split, only train and validation. "
            "The result cannot be confirmed on unseen rows."
        )
        return [train / both, validation / both, 0.0], [note]
    return [train / 100, validation / 100, test / 100], []


def _strata(groups: Sequence[_Group], seed: int) -> list[list[_Group]]:
    """Groups by answer, answers that do not repeat together; each in an order that only texts and seed decide."""
    repeats: Counter[str] = Counter()
    for group in groups:
        repeats[group.answer] += 1
    strata: defaultdict[str, list[_Group]] = defaultdict(list)
    for group in groups:
        strata[group.answer if repeats[group.answer] > 1 else SINGLES].append(group)
    for members in strata.values():
        members.sort(key=lambda group: _hash(str(seed), group.key))
    return [strata[answer] for answer in sorted(strata, key=lambda answer: _hash(str(seed), answer))]


def _assign(strata: Sequence[list[_Group]], shares: Sequence[float]) -> dict[str, list[_Group]]:
    """Each group goes to the part that lacks most rows, within its stratum and over all together; on a tie, to an empty one."""
    parts: dict[str, list[_Group]] = {part: [] for part in PARTS}
    overall = [0.0] * len(PARTS)
    for groups in strata:
        inside = [0.0] * len(PARTS)
        for group in groups:
            size = len(group.rows)
            for i, share in enumerate(shares):
                inside[i] += share * size
                overall[i] += share * size
            lacks = [(inside[i] + overall[i], not parts[PARTS[i]], -i) for i in range(len(PARTS)) if shares[i]]
            best = -max(lacks)[2]
            inside[best] -= size
            overall[best] -= size
            parts[PARTS[best]].append(group)
    return parts


def _empty(part: str, share: float, total: int, groups: int) -> str:
    needed = math.ceil(1 / share)
    same = "" if groups == total else f" ({groups} different ones: near duplicates stay together)"
    return f"the {part} split would be empty: {share:.0%} of {total} rows{same}; at least {needed} different rows are needed"


def _said_aloud(groups: Sequence[_Group], shares: Sequence[float]) -> list[str]:
    notes = []
    rows = sum(len(group.rows) for group in groups)
    if rows > len(groups):
        twins = rows - len(groups)
        notes.append(f"{twins} row(s) repeat the input of another row; they stay in the same split as that row.")
    counts = Counter(group.answer for group in groups)
    wanted = sum(1 for share in shares if share)
    rare = sorted(answer for answer, count in counts.items() if count < wanted)
    if rare and few_labels(len(counts), rows):
        told = ", ".join(repr(answer[:40]) for answer in rare[:5]) + (", ..." if len(rare) > 5 else "")
        notes.append(f"{len(rare)} answers have too few rows to be in every split: {told}.")
    return notes


def _digest(parts: dict[str, list[_Group]]) -> str:
    """SHA-256 over the sorted text hashes of each part; the first 32 hex digits."""
    marked = hashlib.sha256()
    for part in PARTS:
        marked.update(part.encode())
        for one in sorted(text for group in parts[part] for text in group.texts):
            marked.update(one)
    return marked.hexdigest()[:32]


def _hash(*texts: str) -> bytes:
    marked = hashlib.sha256()
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        marked.update(len(data).to_bytes(8, "big") + data)
    return marked.digest()
