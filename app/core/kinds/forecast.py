"""What a training will take, from what the answers of a pilot took: a range from an early stop to every epoch in full."""

from __future__ import annotations

import math
from collections.abc import Sequence

from app.core.kinds.training import BLOCKS, Training
from app.core.optimizers import STRATEGIES
from app.ports.journal import Sample
from app.ports.llm import Json

PROPOSAL_S = 20.0
"""Seconds that a proposal is supposed to take; no pilot measures it. Of simulated models, as long as an answer."""


def forecast(training: Training, samples: Sequence[Sample], bounds: Json) -> Json | None:
    """Answers, calls, tokens, USD and minutes as [low, high]; None when no sample of the pilot got an answer.

    bounds, pinned before the start: answers [low, high]; proposing {calls, tokens, usd}, each [low, high], what the optimizer
    may take; growth {tokens, usd}, what an answer takes more when prompts have grown; concurrency; rpm (None without a
    limit). usd is None where a price is unknown.
    """
    measured = _per_answer(samples)
    if measured is None:
        return None
    answers, proposing, growth = bounds["answers"], bounds["proposing"], bounds["growth"]
    grown = (0, 1)
    calls = [round(n * measured["calls"] + more) for n, more in zip(answers, proposing["calls"], strict=True)]
    tokens = [
        round(n * (measured["tokens"] + by * growth["tokens"]) + more)
        for n, by, more in zip(answers, grown, proposing["tokens"], strict=True)
    ]
    usd = None
    if None not in (measured["usd"], proposing["usd"], growth["usd"]):
        pairs = zip(answers, grown, proposing["usd"], strict=True)
        usd = [n * (measured["usd"] + by * growth["usd"]) + more for n, by, more in pairs]
    minutes = [_minutes(training, measured, bounds, end) for end in (0, 1)]
    return {
        "per_answer": measured,
        "answers": answers,
        "calls": calls,
        "tokens": tokens,
        "usd": usd,
        "minutes": minutes,
    }


def _per_answer(samples: Sequence[Sample]) -> Json | None:
    """The means of those samples that got an answer. n: how many these are."""
    answered = [s for s in samples if s.outcome not in ("provider_error", "timed_out", "cancelled")]
    if not answered:
        return None
    n = len(answered)
    costs = [s.cost_usd for s in answered]
    return {
        "n": n,
        "calls": sum(s.calls for s in answered) / n,
        "tokens": sum(s.tokens for s in answered) / n,
        "usd": None if None in costs else math.fsum(cost or 0.0 for cost in costs) / n,
        "seconds": math.fsum(s.seconds for s in answered) / n,
    }


def _minutes(training: Training, measured: Json, bounds: Json, end: int) -> float:
    """Answers in rounds of as many as may be under way at once, or by the rate limit where that is slower; and proposals."""
    rounds = _rounds(training, bounds["concurrency"])[end]
    seconds: float = rounds * measured["seconds"]
    if rpm := bounds["rpm"]:
        seconds = max(seconds, bounds["answers"][end] * 60 / rpm)
    proposal_s = measured["seconds"] if training.simulated else PROPOSAL_S
    minutes: float = (seconds + bounds["proposing"]["calls"][end] * proposal_s) / 60
    return minutes


def _rounds(training: Training, concurrency: int) -> tuple[int, int]:
    """How many rounds of answers follow each other, from patience running out at once to the last epoch."""

    def rounds(answers: int) -> int:
        return math.ceil(answers / concurrency)

    strategy = STRATEGIES[training.strategy]
    batch = training.batch_size
    validation, test = (training.repeats * len(part) for part in (training.validation, training.test))
    fewest = min(training.patience, training.epochs) * 2 * rounds(batch)
    tried = 2 * (strategy.children + strategy.merges)  # each answers the minibatch in two halves
    epoch = rounds(2 * batch) + tried * rounds(batch) + BLOCKS * rounds(math.ceil(validation / BLOCKS))
    fixed = rounds(validation)
    return fixed + fewest + rounds(test), fixed + training.epochs * epoch + rounds(2 * test)
