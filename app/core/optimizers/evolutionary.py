"""A population of prompts: parents by tournament, children by crossover and mutation; the elite always stays."""

from __future__ import annotations

import random
from collections.abc import Sequence

from app.core.model import Ask
from app.core.optimizers.base import Evidence, Member, Outlook, Proposal
from app.core.optimizers.full_rewrite import APPROACH, rewrite
from app.core.optimizers.merge import merged
from app.core.optimizers.reflective_pareto import ancestors
from app.core.optimizers.targeted_edit import edit
from app.core.optimizers.views import view

POPULATION = 6
"""Members that can become parents: the best ones, which are the elite."""
TOURNAMENT = 3
"""Members that are drawn for a tournament; the best of them wins."""
_INHERITED = 0.8
"""Share of the parents' changes that a crossover takes over."""


class Evolutionary:
    """See the module's first line."""

    name = "evolutionary"
    summary = (
        "Breeds a population of prompts: parents win tournaments, children come from crossing two of them or from a mutation "
        "by the optimiser model, and the best survive."
    )
    needs_optimizer = True
    adds_examples = False
    template = "evolutionary"
    children = 3
    merges = False

    def parent(self, outlook: Outlook) -> int:
        """The winner of a tournament."""
        return tournament(population(outlook), _numbers(outlook, "parent")).number

    async def propose(self, evidence: Evidence, ask: Ask) -> list[Proposal]:
        """See app.core.optimizers.base.Strategy."""
        found = [
            crossover(evidence) or await edit(view(evidence, 2), ask),
            await edit(view(evidence, 0), ask),
            await rewrite(view(evidence, 1), ask, APPROACH),
        ]
        return [proposal for proposal in found if proposal]


def population(outlook: Outlook) -> list[Member]:
    """The best members, the leading one first. Those that were validated in full go before the others."""
    return sorted(outlook.members, key=lambda m: (m.number != outlook.best, not m.complete, -m.mean, -m.number))[
        :POPULATION
    ]


def tournament(members: Sequence[Member], numbers: random.Random) -> Member:
    """The best ranked of a few that are drawn; members: the best first."""
    drawn = numbers.sample(range(len(members)), min(TOURNAMENT, len(members)))
    return members[min(drawn)]


def crossover(evidence: Evidence) -> Proposal | None:
    """The parent crossed with the winner of another tournament: most changes of both since their common ancestor.

    None when there is no other member that brings in anything.
    """
    outlook, numbers = evidence.outlook, _numbers(evidence.outlook, "crossover")
    parent = outlook.member(evidence.parent_number)
    ours = ancestors(outlook, parent.number)
    theirs = [m for m in population(outlook) if m.number not in ours]
    if not theirs:
        return None
    mate = tournament(theirs, numbers)
    base = outlook.member(max(ours & ancestors(outlook, mate.number))).candidate
    texts = merged(base, [parent.candidate, mate.candidate], lambda: numbers.random() < _INHERITED)
    if texts in [(m.candidate.system_prompt, m.candidate.output_prompt) for m in outlook.members]:
        return None
    return Proposal(*texts, f"A crossover with proposal {mate.number}.", parents=(mate.number,))


def _numbers(outlook: Outlook, purpose: str) -> random.Random:
    return random.Random(f"{outlook.seed}/{purpose}/{outlook.epoch}")  # noqa: S311 - no secret
