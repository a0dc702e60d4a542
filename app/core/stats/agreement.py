"""How far rankings of the same items agree: Kendall's tau, the top three, moves, and the consensus of several rankers.

A ranking gives each item its place from 1, the best; items of the same place are tied. Only items that both rankings have are
compared. Source of tau-a and tau-b: Kendall, Rank Correlation Methods (1948); of the consensus: Borda (1781).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

Ranking: TypeAlias = Mapping[str, float]
"""Place by item; a lower one is better. Scores can be ranked by their negatives."""
LEAST = 2
"""Fewer items in common say nothing about agreement."""
TOP = 3
STEADY, MIXED = 0.7, 0.4
"""Least mean tau of pairs of rankers for low and for medium variability."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two rankings compared. tau: None under two items in common. tied: whether tau is tau-b, because of ties.

    top3: items that both have among their best three. exact: items at the same place. moves: (item, places it is higher in
    the second ranking, negative for lower), the largest first. n: items in common.
    """

    tau: float | None
    tied: bool
    top3: int
    exact: int
    moves: tuple[tuple[str, float], ...]
    n: int


def compare(first: Ranking, second: Ranking) -> Agreement:
    """How far two rankings agree on the items that both have."""
    common = [item for item in first if item in second]
    a, b = places({item: first[item] for item in common}), places({item: second[item] for item in common})
    tied = len(set(a.values())) < len(a) or len(set(b.values())) < len(b)
    moves = sorted(
        ((item, a[item] - b[item]) for item in common if a[item] != b[item]), key=lambda m: (-abs(m[1]), m[0])
    )
    return Agreement(
        tau=tau_b(a, b) if tied else tau_a(a, b),
        tied=tied,
        top3=len(_top(a) & _top(b)),
        exact=sum(a[item] == b[item] for item in common),
        moves=tuple(moves),
        n=len(common),
    )


def tau_a(first: Ranking, second: Ranking) -> float | None:
    """(concordant - discordant) / pairs; None under two items in common. A tied pair is neither."""
    concordant, discordant, _, _, pairs = _counts(first, second)
    return (concordant - discordant) / pairs if pairs else None


def tau_b(first: Ranking, second: Ranking) -> float | None:
    """The same over the geometric mean of the pairs that each ranking does not tie; None when one of them ties all."""
    concordant, discordant, free_a, free_b, _ = _counts(first, second)
    return (concordant - discordant) / math.sqrt(free_a * free_b) if free_a and free_b else None


def _counts(first: Ranking, second: Ranking) -> tuple[int, int, int, int, int]:
    """Concordant and discordant pairs, those untied in the first and in the second ranking, and all pairs."""
    common = [item for item in first if item in second]
    counts = [0, 0, 0, 0, 0]
    for one, other in combinations(common, LEAST):
        a, b = _sign(first[one] - first[other]), _sign(second[one] - second[other])
        counts[0] += a * b > 0
        counts[1] += a * b < 0
        counts[2] += a != 0
        counts[3] += b != 0
        counts[4] += 1
    return counts[0], counts[1], counts[2], counts[3], counts[4]


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)


def places(ranking: Ranking) -> dict[str, int]:
    """Places without gaps before them: 1 + how many items are better; tied items share one."""
    return {item: 1 + sum(other < place for other in ranking.values()) for item, place in ranking.items()}


def _top(ranking: Ranking) -> set[str]:
    """The first three items, those of one place in the order in which the ranking names them."""
    return set(sorted(ranking, key=lambda item: ranking[item])[:TOP])


def shares(ranking: Ranking) -> dict[str, float]:
    """Borda's points of each item, (n - place) with ties averaged, as a share of the most there are: in [0, 1].

    One item alone has beaten nobody and lost to nobody: 0.5.
    """
    n = len(ranking)
    if n < LEAST:
        return dict.fromkeys(ranking, 0.5)
    return {item: _beaten(item, ranking) / (n - 1) for item in ranking}


def _beaten(item: str, ranking: Ranking) -> float:
    own = ranking[item]
    worse = sum(place > own for place in ranking.values())
    return worse + (sum(place == own for place in ranking.values()) - 1) / 2


def consensus(rankings: Iterable[Ranking]) -> dict[str, float]:
    """Borda's points of each item, n - place with ties averaged, summed over the rankers; the best first."""
    points: dict[str, float] = {}
    for ranking in rankings:
        for item in ranking:
            points[item] = points.get(item, 0.0) + _beaten(item, ranking)
    return dict(sorted(points.items(), key=lambda pair: (-pair[1], pair[0])))


@dataclass(frozen=True, slots=True)
class Raters:
    """How far several people agree. mean_tau: over the pairs of them that can be compared, None without any.

    variability: low, medium, high, or unknown.
    """

    mean_tau: float | None
    pairs: int
    variability: str


def between(taus: Sequence[float]) -> Raters:
    """The agreement of people from the taus of their pairs."""
    if not taus:
        return Raters(None, 0, "unknown")
    mean = math.fsum(taus) / len(taus)
    return Raters(mean, len(taus), "low" if mean >= STEADY else "medium" if mean >= MIXED else "high")
