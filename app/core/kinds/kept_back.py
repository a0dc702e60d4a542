"""What the sealed test will cost is set aside before the search may spend it: each reading, and room for its dearest call."""

from __future__ import annotations

import math
from collections.abc import Sequence

from app.core.budget import NOTHING, Amount
from app.core.kinds.training import Training
from app.core.model import Candidate
from app.core.responders.single_turn import messages
from app.core.run import Run
from app.ports.journal import Sample

SPARE = 1.25
"""Test answers may be somewhat longer than those that the price is judged by."""


def price_of_test(run: Run, spec: Training, *seen: tuple[Candidate, Sequence[Sample]]) -> Amount:
    """What reading the test split by these candidates will cost, judged by what their other samples cost.

    A longer prompt costs more, so every candidate counts for itself. The last call is sent only when the most that it can cost
    still fits, so that is kept back too.
    """
    if not spec.test:
        return NOTHING
    longest = max(spec.test, key=lambda case: len(case.input.encode("utf-8", "surrogatepass")))
    requests = [(candidate.model, messages(candidate, longest)) for candidate, _ in seen]
    most = [run.ceiling(model, asked) for model, asked in (*requests, *spec.exam.scorer.longest(longest))]
    total = Amount(max(one.usd for one in most), 0, max(one.tokens for one in most))
    for _, samples in seen:
        total = total.plus(_reading(spec.repeats * len(spec.test), samples))
    return total


def _reading(answers: int, samples: Sequence[Sample]) -> Amount:
    answered = [s for s in samples if s.tokens] or samples
    share = answers / max(1, len(answered))
    return Amount(
        SPARE * share * sum(s.cost_usd or 0.0 for s in answered),
        math.ceil(share * sum(s.calls for s in answered)),
        math.ceil(SPARE * share * sum(s.tokens for s in answered)),
    )
