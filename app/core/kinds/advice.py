"""What a pilot says about a training: what its splits can show, and what would show more. In numbers, and in plain words."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from app.core.datasets.split import NO_TEST_BELOW
from app.core.kinds.advice_words import advice, sentence
from app.core.stats import strictness
from app.core.stats.noise import Noise
from app.core.stats.sizing import ALIKE, POWER, Spread, detectable, examples_needed
from app.ports.llm import Json

LEAST_TRAIN, LEAST_VALIDATION = 25, 10
"""Percent of the rows that a recommended split leaves to learn from and to choose by, at least."""
SURE = 0.02
"""Flips count as more than chance when their interval begins above this."""
AGAIN = 3
"""Answers to each example whose use is looked at."""
WORTH_IT = 0.9
"""Asking again is worth it when what can be shown shrinks below this share."""


@dataclass(frozen=True)
class Question:
    """What is to be shown. sizes: examples of train, validation and test. worth: the improvement that matters, in (0, 1).

    alpha: significance level. repeats: answers that the training asks for to each hidden example. comparison: which one on this
    dataset's test split its sealed test will be, from 1.
    """

    sizes: tuple[int, int, int]
    worth: float
    alpha: float
    repeats: int = 1
    comparison: int = 1

    @property
    def test_alpha(self) -> float:
        """The level that the sealed test is held to."""
        return strictness(self.alpha, self.comparison)[0]

    @property
    def total(self) -> int:
        """Examples in all."""
        return sum(self.sizes)


def advise(noise: Noise, question: Question) -> Json:
    """Figures, the verdict with its sentence, and recommendations, best first.

    verdict: "enough" when the test split can show the improvement, "resplit" when another split of the same rows can, else
    "too_small". Every figure is {"value", "low", "high"}: as measured, and the ends of the pilot's 95 % interval.
    """
    spread, test, repeats = noise.spread, question.test_alpha, question.repeats
    needed = _ends(noise, partial(examples_needed, question.worth, alpha=test, repeats=repeats))
    parts = dict(zip(("validation", "test"), question.sizes[1:], strict=True))
    shown = {
        name: _ends(noise, partial(detectable, parts[name], alpha=alpha, repeats=repeats)) if parts[name] else None
        for name, alpha in (("validation", question.alpha), ("test", test))
    }
    better = recommended_split(question.total, needed["value"])
    enough = question.sizes[2] >= needed["value"]
    verdict = "enough" if enough else "resplit" if better else "too_small"
    found = {
        "verdict": verdict,
        "worth": question.worth,
        "alpha": question.alpha,
        "test_alpha": test,
        "comparison": question.comparison,
        "power": POWER,
        "alike": ALIKE,
        "spread": {"between": spread.between, "within": spread.within, "flat": noise.flat},
        "noise": {name: _noise(noise, n, repeats) if n else None for name, n in parts.items()},
        "detectable": shown,
        "needed": needed,
        "split": None if enough else better,
        "most": _most(noise, question),
        "rows": max(NO_TEST_BELOW, 2 * needed["value"]),
        "repeats": _repeats(noise, question),
    }
    texts = {"sentence": sentence(found, question.sizes), "advice": advice(found, noise, question.sizes)}
    return found | texts


def recommended_split(total: int, needed: int) -> list[int] | None:
    """Whole percentages of train, validation and test whose test has at least ``needed`` of ``total`` rows; None: no split has.

    Validation gets as much as the test, as far as LEAST_TRAIN is left to learn from.
    """
    if total < NO_TEST_BELOW:
        return None
    test = math.ceil(100 * needed / total)
    validation = min(max(test, LEAST_VALIDATION), 100 - LEAST_TRAIN - test)
    if validation < LEAST_VALIDATION:
        return None
    return [100 - validation - test, validation, test]


def _ends(noise: Noise, figure: Callable[[Spread], float]) -> Json:
    return {"value": figure(noise.spread), "low": figure(noise.low), "high": figure(noise.high)}


def _noise(noise: Noise, n: int, repeats: int) -> Json:
    return {
        "n": n,
        "error": _ends(noise, lambda spread: spread.error(n, repeats)),
        "randomness": _ends(noise, lambda spread: spread.randomness(n, repeats)),
    }


def _most(noise: Noise, question: Question) -> Json:
    """What the largest test that a split of the rows leaves room for can show."""
    n = max(1, question.total * (100 - LEAST_TRAIN - LEAST_VALIDATION) // 100)
    return {
        "n": n,
        "detectable": _ends(noise, partial(detectable, n, alpha=question.test_alpha, repeats=question.repeats)),
    }


def _repeats(noise: Noise, question: Question) -> Json:
    """What asking each test example several times would show, beside asking it once.

    times: as often as the training does, or AGAIN times when it asks only once.
    """
    n, times = question.sizes[2] or question.sizes[1], question.repeats if question.repeats > 1 else AGAIN
    once, often = (detectable(n, noise.spread, alpha=question.test_alpha, repeats=repeats) for repeats in (1, times))
    flips = (noise.flips.low or 0.0) > SURE
    figures = {"now": question.repeats, "times": times, "n": n, "once": once, "detectable": often}
    return figures | {"help": flips and often < WORTH_IT * once}
