"""No strategy is best everywhere: each of the epoch's places goes to the one that has brought the most per rollout so far."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

from app.core.model import Ask
from app.core.optimizers.base import Evidence, Outlook, Proposal
from app.core.optimizers.evolutionary import crossover
from app.core.optimizers.example_addition import subsets
from app.core.optimizers.full_rewrite import rewrite
from app.core.optimizers.reflective_pareto import fronts, lineages, near_best, reflect, stale
from app.core.optimizers.targeted_edit import edit
from app.core.optimizers.views import view
from app.core.stats import plateau

_PRIOR_ROLLOUTS = 48.0
"""In so many rollouts every strategy is supposed to have brought its prior gain when the search begins."""
_LEAST = 0.0003
"""No strategy's value falls below this gain per rollout, so that none is forgotten."""
_MEMORY = 0.9
"""What a gain counts one epoch later: what helped at the beginning need not help at the end."""


class Auto:
    """See the module's first line."""

    name = "auto"
    summary = (
        "Mixes the others: every epoch tries several kinds of proposals, and those that bring more per answer get more of the "
        "budget; when none helps any more, it goes on from other parents."
    )
    needs_optimizer = True
    adds_examples = True
    template = "auto"
    children = 2
    merges = True

    def parent(self, outlook: Outlook) -> int:
        """The best, unless the search is on a plateau: then every other time a member that is the best on some examples."""
        if not plateau([t.gain for t in outlook.trials]) or stale(outlook) % 2 == 0:
            return outlook.best
        places = fronts(near_best(outlook))
        return _numbers(outlook, "parent").choices(list(places), list(places.values()))[0]

    async def propose(self, evidence: Evidence, ask: Ask) -> list[Proposal]:
        """See app.core.optimizers.base.Strategy."""
        made: list[Proposal] = []
        for number, name in enumerate(places(evidence.outlook, self.children)):
            found = await ARMS[name](view(evidence, number), ask)
            texts = {(p.system_prompt, p.output_prompt) for p in made}
            if found and (found.system_prompt, found.output_prompt) not in texts:
                made.append(replace(found, strategy=name))
        return made


async def _examples(evidence: Evidence, ask: Ask) -> Proposal | None:  # noqa: ARG001 - asks nobody
    return next(iter(subsets(evidence, 1)), None)


async def _lineages(evidence: Evidence, ask: Ask) -> Proposal | None:
    return lineages(evidence) or await reflect(evidence, ask)


async def _crossover(evidence: Evidence, ask: Ask) -> Proposal | None:
    return crossover(evidence) or await edit(evidence, ask)


ARMS: dict[str, Callable[[Evidence, Ask], Awaitable[Proposal | None]]] = {
    "targeted_edit": edit,
    "reflective_pareto": _lineages,
    "full_rewrite": rewrite,
    "example_addition": _examples,
    "evolutionary": _crossover,
}
"""What a place can be given to."""
PRIOR = {
    "targeted_edit": 0.1,
    "reflective_pareto": 0.1,
    "full_rewrite": 0.2,
    "example_addition": 0.04,
    "evolutionary": 0.04,
}
"""The gain that each is granted to begin with, by what it brought in docs/optimisers.md."""


def places(outlook: Outlook, count: int) -> list[str]:
    """The strategies of an epoch, one for each place, drawn with chances in proportion to the square of their value."""
    weights = [value(name, outlook) ** 2 for name in ARMS]
    return _numbers(outlook, "places").choices(list(ARMS), weights, k=count)


def value(name: str, outlook: Outlook) -> float:
    """Gain per rollout that a strategy has brought, older gains and rollouts discounted; the prior counts as the oldest."""
    age = _MEMORY ** (outlook.epoch - 1)
    gain, rollouts = PRIOR[name] * age, _PRIOR_ROLLOUTS * age
    for trial in outlook.trials:
        if trial.strategy == name:
            weight = _MEMORY ** (outlook.epoch - trial.epoch)
            gain += weight * trial.gain
            rollouts += weight * trial.rollouts
    return max(gain / rollouts, _LEAST)


def _numbers(outlook: Outlook, purpose: str) -> random.Random:
    return random.Random(f"{outlook.seed}/auto/{purpose}/{outlook.epoch}")  # noqa: S311 - no secret
