"""Parents that are the best on some examples are reflected upon in turn, several proposals at once; good changes are merged."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from app.core.model import Ask
from app.core.optimizers.base import Evidence, Member, Outlook, Proposal
from app.core.optimizers.full_rewrite import APPROACH, rewrite
from app.core.optimizers.merge import merged
from app.core.optimizers.targeted_edit import edit
from app.core.optimizers.views import component, view

LOOSENED = 3
"""Epochs without an improvement from which on parents other than the best are tried."""
WITHIN = 0.1
"""How much worse than the best a parent may be."""
_NAMED = {"system_prompt": "system prompt", "output_prompt": "output prompt"}


class ReflectivePareto:
    """See the module's first line."""

    name = "reflective_pareto"
    summary = (
        "Keeps every prompt that is the best on some examples, lets the optimiser model reflect on their failures with several "
        "proposals at once, and merges what works."
    )
    needs_optimizer = True
    adds_examples = False
    template = "reflective_pareto"
    children = 3
    merges = True

    def parent(self, outlook: Outlook) -> int:
        """The best while it leads to better ones; then one of the fronts, the more often the more fronts it is on."""
        if stale(outlook) < LOOSENED:
            return outlook.best
        places = fronts(near_best(outlook))
        numbers = random.Random(f"{outlook.seed}/parent/{outlook.epoch}")  # noqa: S311 - no secret
        return numbers.choices(list(places), list(places.values()))[0]

    async def propose(self, evidence: Evidence, ask: Ask) -> list[Proposal]:
        """See app.core.optimizers.base.Strategy."""
        found = [
            await edit(view(evidence, 0), ask),
            await reflect(view(evidence, 1), ask),
            lineages(evidence) or await edit(view(evidence, 2), ask),
        ]
        return [proposal for proposal in found if proposal]


async def reflect(evidence: Evidence, ask: Ask) -> Proposal | None:
    """One component written anew, the one that the failures point at; the other one stays."""
    chosen = component(evidence)
    approach = f"{APPROACH} This time change the {_NAMED[chosen]} alone; the other prompt stays as it is."
    found = await rewrite(evidence, ask, approach)
    if found is None:
        return None
    parent = evidence.parent
    if chosen == "system_prompt":
        return replace(found, output_prompt=parent.output_prompt)
    return replace(found, system_prompt=parent.system_prompt)


def near_best(outlook: Outlook) -> list[Member]:
    """The members that are hardly worse than the best, by the examples that both have answered."""
    best = outlook.member(outlook.best)
    return [member for member in outlook.members if difference(member, best) >= -WITHIN]


def difference(one: Member, other: Member) -> float:
    """Mean score of one minus that of the other over the examples that both have answered; -1 when there are none."""
    shared = one.scores.keys() & other.scores.keys()
    return sum(one.scores[c] - other.scores[c] for c in shared) / len(shared) if shared else -1.0


def fronts(members: Sequence[Member]) -> Counter[int]:
    """On how many examples each member is among the best of those that answered it, each example shared among them.

    Counted in thousandths.
    """
    answers: defaultdict[str, dict[int, float]] = defaultdict(dict)
    for member in members:
        for case, score in member.scores.items():
            answers[case][member.number] = score
    places: Counter[int] = Counter()
    for scores in answers.values():
        top = max(scores.values())
        leading = [number for number, score in scores.items() if score == top]
        for number in leading:
            places[number] += round(1000 / len(leading))
    return places


def stale(outlook: Outlook) -> int:
    """Epochs that have passed without an improvement."""
    return outlook.epoch - 1 - max((t.epoch for t in outlook.trials if t.gain > 0), default=0)


def lineages(evidence: Evidence) -> Proposal | None:
    """The parent with the changes of another lineage: of the member that does best where the parent fails.

    The changes are those that the other one made since their common ancestor. None when there is no such member or its changes
    do not bring in anything new.
    """
    outlook = evidence.outlook
    parent = outlook.member(evidence.parent_number)
    related = ancestors(outlook, parent.number)
    used = {n for m in outlook.members for n in m.parents[1:]}
    others = [
        m
        for m in outlook.members
        if m.number not in related | used and parent.number not in ancestors(outlook, m.number)
    ]
    best = max(others, key=lambda m: (_helps(m, parent), m.number), default=None)
    if best is None or _helps(best, parent) <= 0:
        return None
    base = outlook.member(max(related & ancestors(outlook, best.number))).candidate
    texts = merged(base, [parent.candidate, best.candidate])
    if texts == (parent.candidate.system_prompt, parent.candidate.output_prompt):
        return None
    told = f"The changes of proposal {best.number} are brought in; it does better on examples where this one fails."
    return Proposal(*texts, told, parents=(best.number,))


def ancestors(outlook: Outlook, number: int) -> set[int]:
    """A member with all that it descends from; 0, the initial prompts, is always among them."""
    known = {m.number: m.parents for m in outlook.members}
    found, open_ = {0}, [number]
    while open_:
        one = open_.pop()
        if one not in found:
            found.add(one)
            open_ += known.get(one, ())
    return found


def _helps(other: Member, parent: Member) -> float:
    """Points that it would add where it is better, on the examples that both answered."""
    return sum(max(0.0, other.scores[c] - parent.scores[c]) for c in other.scores.keys() & parent.scores.keys())
