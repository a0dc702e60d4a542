"""How large the minibatch of the next epoch is: larger when the gate could not see what is still to be gained."""

from __future__ import annotations

import math
from collections.abc import Sequence

from app.core.kinds.training import Training
from app.core.stats import Paired

STEP = 0.2
"""A proposal is supposed to bring this share of what is still missing to 1."""
GROWTH = 1.5
"""By this factor a minibatch grows at most from one epoch to the next."""
LARGEST = 2
"""It never grows beyond this many times the size that was asked for."""


def next_size(size: int, spec: Training, best: float | None, gates: Sequence[Paired | None]) -> int:
    """Rows of the next minibatch, never fewer than this epoch's ``size``.

    The gate is limited by noise when the standard error of its differences, sd / sqrt(size), is larger than a proposal is
    supposed to bring, STEP x (1 - best). Then the batch grows towards (sd / that)^2 rows.
    """
    spreads = [gate.sd for gate in gates if gate and gate.sd]
    if not spreads or best is None or best >= 1.0:
        return size
    needed = math.ceil((max(spreads) / (STEP * (1.0 - best))) ** 2)
    most = min(len(spec.train), LARGEST * spec.batch_size, math.ceil(GROWTH * size))
    return max(size, min(needed, most))
