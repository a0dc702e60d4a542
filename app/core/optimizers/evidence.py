"""Failures are shown worst first and one per kind before a second of the same kind, with a few successes to keep."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Sequence, Set
from itertools import pairwise

from app.core.optimizers.base import Seen
from app.core.stats import RIGHT, score_of

SIMILAR = 0.5
"""Two failures are of one kind from this similarity on."""
_FEEDBACK, _INPUT = 0.7, 0.3
"""What the similarity is made of."""
CONSIDERED = 200
"""Failures that are told apart at most, the worst ones: every one is held against every kind."""
READ_CHARS = 2_000
"""Characters of a text by which it is told apart."""
_WORD = re.compile(r"\w+")


def choose_evidence(
    rows: Sequence[Seen], k: int = 8, successes: int = 2, seed: int = 0
) -> tuple[tuple[Seen, ...], tuple[Seen, ...]]:
    """The failures to learn from and the successes to keep; rows without a score are neither.

    k, successes: how many of each at most. The seed breaks ties, so that the first rows of a file are not preferred.
    """
    scored = [row for row in rows if score_of(row.sample) is not None]
    random.Random(f"{seed}/evidence").shuffle(scored)  # noqa: S311 - no secret
    failures = sorted((row for row in scored if _score(row) < RIGHT), key=_score)
    kept = [row for row in scored if _score(row) >= RIGHT]
    return tuple(_one_of_each_kind_first(failures[: max(CONSIDERED, k)], k)), tuple(kept[:successes])


def _score(row: Seen) -> float:
    score = score_of(row.sample)
    return 0.0 if score is None else score


def _one_of_each_kind_first(failures: Sequence[Seen], k: int) -> list[Seen]:
    """Round after round one of each kind, the kinds in the order of their worst score, then of their size."""
    kinds = sorted(_kinds(failures), key=lambda kind: (_score(kind[0]), -len(kind)))
    rounds = max((len(kind) for kind in kinds), default=0)
    return [kind[r] for r in range(rounds) for kind in kinds if r < len(kind)][:k]


def _kinds(failures: Sequence[Seen]) -> list[list[Seen]]:
    """Failures gathered around the first of their kind (leader clustering).

    Word n-grams that every failure has, such as the scorer's set phrases, weigh nothing (inverse document frequency).
    """
    feedback = _Similarity([f"{row.sample.feedback} {row.case.reference}" for row in failures])
    inputs = _Similarity([row.case.input for row in failures])
    leaders: dict[int, list[Seen]] = {}
    for number, row in enumerate(failures):
        for leader, kind in leaders.items():
            if _FEEDBACK * feedback.of(leader, number) + _INPUT * inputs.of(leader, number) >= SIMILAR:
                kind.append(row)
                break
        else:
            leaders[number] = [row]
    return list(leaders.values())


class _Similarity:
    """Weighted Jaccard similarity of texts by their words and word pairs."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._grams = [ngrams(text[:READ_CHARS]) for text in texts]
        spread = Counter(gram for grams in self._grams for gram in grams)
        self._weight = {gram: math.log(len(texts) / count) for gram, count in spread.items()}
        self._total = [self._weigh(grams) for grams in self._grams]

    def of(self, one: int, other: int) -> float:
        """From 0, nothing in common, to 1, the same or nothing that tells them apart."""
        shared = self._weigh(self._grams[one] & self._grams[other])
        united = self._total[one] + self._total[other] - shared
        return shared / united if united else 1.0

    def _weigh(self, grams: Set[str]) -> float:
        return math.fsum(self._weight[gram] for gram in grams)


def ngrams(text: str) -> frozenset[str]:
    """The words of a text and its pairs of neighbouring words, in lower case."""
    words = _WORD.findall(text.casefold())
    return frozenset(words) | frozenset(f"{a} {b}" for a, b in pairwise(words))
