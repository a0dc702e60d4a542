"""Which label was answered where which was expected: a table of counts over answers that have a score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.core.datasets.normal import canonical_answer, normalised


class Labels:
    """Finds the label that a text stands for.

    A text is a label when it is that label but for case, spaces, quotes and the punctuation of sentences; where that fits two
    labels, only the very same text counts. No scorer is asked: a strict one may call an answer wrong that is found here.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._exact = {canonical_answer(name): at for at, name in enumerate(self.names)}
        alike = Counter(normalised(name) for name in self.names)
        self._alike = {normalised(name): at for at, name in enumerate(self.names) if alike[normalised(name)] == 1}

    def find(self, text: str) -> int | None:
        """Index of the label, None when it is none of them."""
        at = self._exact.get(canonical_answer(text))
        return at if at is not None else self._alike.get(normalised(text))


@dataclass(frozen=True, slots=True)
class Confusion:
    """counts[i][j]: answers j where i was expected; the last column holds answers that are none of the labels.

    n: answers with a score, over which it counts. asked: those that failed included.
    """

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    n: int
    asked: int

    @property
    def agreeing(self) -> int:
        """Answers that are the expected label."""
        return sum(row[at] for at, row in enumerate(self.counts))


def confusion(labels: Labels, answers: Iterable[tuple[str, str, int]], failed: int) -> Confusion:
    """The table of (expected, answered, how often). failed: answers that never came. What expects no label is left out."""
    counts = [[0] * (len(labels.names) + 1) for _ in labels.names]
    for expected, answered, times in answers:
        row, column = labels.find(expected), labels.find(answered)
        if row is not None:
            counts[row][len(labels.names) if column is None else column] += times
    n = sum(map(sum, counts))
    return Confusion(labels.names, tuple(map(tuple, counts)), n, n + failed)
