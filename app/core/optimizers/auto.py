"""No strategy is best everywhere, so auto takes turns: rewrite boldly, add examples, edit carefully."""

from __future__ import annotations

from dataclasses import replace

from app.core.model import Ask
from app.core.optimizers.base import Evidence, Proposal, Strategy
from app.core.optimizers.example_addition import ExampleAddition
from app.core.optimizers.full_rewrite import FullRewrite
from app.core.optimizers.targeted_edit import TargetedEdit

TURNS: tuple[Strategy, ...] = (FullRewrite(), TargetedEdit(), FullRewrite(), ExampleAddition(), TargetedEdit())
"""Whose turn it is, epoch by epoch, then over again. Any three in a row hold two different ones, so that a plateau of the
default patience has met more than one strategy."""


class Auto:
    """See the module's first line."""

    name = "auto"
    summary = "Takes turns: full rewrite, targeted edit, full rewrite, example addition, targeted edit."
    needs_optimizer = True
    adds_examples = True
    template = "auto"

    async def propose(self, evidence: Evidence, ask: Ask) -> list[Proposal]:
        """See app.core.optimizers.base.Strategy."""
        turn = TURNS[(evidence.epoch - 1) % len(TURNS)]
        return [replace(proposal, strategy=turn.name) for proposal in await turn.propose(evidence, ask)]
