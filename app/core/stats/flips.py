"""How often a model contradicts itself: the same example, asked again, judged right once and wrong once."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from app.core.stats.interval import interval, score_of
from app.core.stats.pairing import RIGHT
from app.ports.journal import Sample
from app.ports.llm import Json


@dataclass(frozen=True, slots=True)
class Flips:
    """The chance that two answers to the same example are judged differently, in [0, 1], with its 95 % interval.

    n: examples with at least two scored answers. None: there is no such example.
    """

    rate: float | None
    n: int
    low: float | None
    high: float | None

    def as_json(self) -> Json:
        """The fields by name."""
        return asdict(self)


def flip_rate(samples: Sequence[Sample]) -> Flips:
    """The flip rate of one candidate's samples; an answer is right from a score of RIGHT on.

    Every example with two or more scored repeats counts alike, with the share of its pairs of answers of which one is right and
    one is wrong; with two repeats that is 0 or 1. The interval is over examples, since the pairs of one example are not
    independent: Wilson's when all shares are 0 or 1, else Student's t.
    """
    right: dict[str, list[bool]] = defaultdict(list)
    for sample in samples:
        if (score := score_of(sample)) is not None:
            right[sample.case].append(score >= RIGHT)
    shares = [
        sum(answers) * (len(answers) - sum(answers)) / math.comb(len(answers), 2)
        for answers in right.values()
        if len(answers) > 1
    ]
    if not shares:
        return Flips(None, 0, None, None)
    return Flips(math.fsum(shares) / len(shares), len(shares), *interval(shares))
