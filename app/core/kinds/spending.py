"""What an epoch takes: a minibatch that is larger while the gate is misled by noise, and answers at the most."""

from __future__ import annotations

import math

from app.core.kinds.training import Training
from app.core.optimizers import Strategy

GROWTH = 1.5
"""By this factor the minibatch grows."""
LARGEST = 2
"""It never grows beyond this many times the size that was asked for."""
MISLED = 2
"""Races in a row that a gate has let in and that were lost, from which on it counts as limited by noise."""


def next_size(size: int, spec: Training, lost: int) -> int:
    """Rows of the next minibatch.

    lost: races lost since the last improvement. A gate that lets in one after another that is no better on validation sees
    noise, and each of them costs more than a larger batch would. After an improvement (lost = 0) the size that was asked for
    does again: every row is paid for by each proposal, so a large batch is dear.
    """
    asked = min(spec.batch_size, len(spec.train))
    if lost == 0:
        return asked
    if lost % MISLED:
        return size
    return min(len(spec.train), LARGEST * asked, math.ceil(GROWTH * size))


def answers_of_shortening(rule: str, most: int, test: int) -> int:
    """The most answers that the shortening adds to a training: what it may take itself, and one more reading of the test."""
    return most + test if rule == "offer" else 0


def answers_of_epoch(strategy: Strategy, batch: int, validation: int) -> int:
    """The most answers that an epoch takes: parent, children and their merger on the minibatch, and one of them validated."""
    return batch * (1 + strategy.children + strategy.merges) + validation
