"""Few-shot examples from the train split, found by search: several subsets are tried, and what is measured decides.

Needs no optimiser model.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import cycle, zip_longest

from app.core.model import Ask, Case
from app.core.optimizers.base import Evidence, Outlook, Proposal
from app.core.optimizers.evidence import ngrams
from app.core.optimizers.examples import as_example, fit_for_example, shown_in, with_examples, without_examples

SHOTS = (6, 10, 4, 14, 8)
"""Examples in a fresh subset, in turn: how many help differs from task to task."""
SWAPPED = 3
"""The share of a subset that is exchanged for others when it is varied: one in so many, at least one."""
_REPEATED = 0.5
"""Answers count as labels when at most this share of the train answers is distinct."""


class ExampleAddition:
    """See the module's first line."""

    name = "example_addition"
    summary = (
        "Train examples are added to the system prompt: several subsets are tried, aimed at the answers that fail, and the "
        "best one is varied further. Needs no optimiser model."
    )
    needs_optimizer = False
    adds_examples = True
    template = ""
    children = 3
    merges = False

    def parent(self, outlook: Outlook) -> int:
        """The best so far."""
        return outlook.best

    async def propose(self, evidence: Evidence, ask: Ask) -> list[Proposal]:  # noqa: ARG002 - the strategy asks nobody
        """See app.core.optimizers.base.Strategy."""
        return await asyncio.to_thread(subsets, evidence, self.children)  # may read thousands of long cases


def subsets(evidence: Evidence, count: int) -> list[Proposal]:
    """Different subsets to try: fresh ones, and in every other place variations of the examples that the parent shows."""
    parent, present = evidence.parent, shown_in(evidence.parent.system_prompt, evidence.train)
    found: dict[tuple[str, ...], Proposal] = {}
    for number in range(count):
        at = (evidence.epoch - 1) * count + number
        varied = bool(present) and number % 2 == 0
        chosen = vary(evidence, present, at) if varied else choose_examples(evidence, at)
        if chosen:
            proposal = Proposal(
                with_examples(parent.system_prompt, chosen), parent.output_prompt, _told(chosen, varied)
            )
            found.setdefault(tuple(case.id for case in chosen), proposal)
    return list(found.values())


def _told(chosen: Sequence[Case], varied: bool) -> str:
    labels = Counter(case.reference for case in chosen)
    aim = ", ".join(f"{_short(label)} ({count})" for label, count in labels.most_common(5))
    how = "some of them exchanged" if varied else "chosen towards the answers that failed"
    return f"{len(chosen)} examples from the train split, {how}: {aim}."


def choose_examples(evidence: Evidence, at: int) -> list[Case]:
    """The at-th fresh subset (from 0), within the length budget; the same evidence gives the same examples.

    No single one may take more than half of the room.

    The rows just seen are left out while there are others: the proposal is tried on them next, and showing it their answers
    would make that trial worthless.
    """
    wanted, room = SHOTS[at % len(SHOTS)], _room(evidence)
    chosen = _within(evidence, _ordered(evidence, wanted, at), wanted, room)
    # The last example weighs most on many models: what was chosen first, for the failures, goes to the end.
    return chosen[::-1]


def vary(evidence: Evidence, present: Sequence[Case], at: int) -> list[Case]:
    """The parent's examples, the share 1/SWAPPED of them exchanged for others, and one more of those added every other time."""
    numbers = random.Random(f"{evidence.seed}/vary/{at}")  # noqa: S311 - no secret
    swapped = max(1, len(present) // SWAPPED)
    kept = list(present)
    for case in numbers.sample(kept, swapped):
        kept.remove(case)
    fresh = [case for case in _ordered(evidence, len(present), at) if case not in present]
    room = _room(evidence) - sum(_size(evidence, case) for case in kept)
    return kept + _within(evidence, fresh, swapped + numbers.randrange(2), room)[::-1]


def _ordered(evidence: Evidence, wanted: int, at: int) -> Iterable[Case]:
    """The train cases that can be shown, those that promise the most for the failures first."""
    numbers = random.Random(f"{evidence.seed}/examples/{at}")  # noqa: S311 - no secret
    seen = {row.case.id for row in (*evidence.failures, *evidence.successes)}
    room = _room(evidence)
    usable = [case for case in evidence.train if _size(evidence, case) <= room // 2 and fit_for_example(case)]
    fit = numbers.sample(usable, len(usable))
    others = [case for case in fit if case.id not in seen]
    pool = others if len(others) >= wanted else fit
    return (_by_label if _labelled(evidence.train) else _by_likeness)(pool, evidence)


def _labelled(train: Sequence[Case]) -> bool:
    return len({case.reference for case in train}) <= _REPEATED * len(train)


def _by_label(pool: Sequence[Case], evidence: Evidence) -> Iterable[Case]:
    """The labels that failed most in turn, then the other labels, one example each; then over again."""
    failed = Counter(row.case.reference for row in evidence.failures)
    piles: dict[str, list[Case]] = {label: [] for label, _ in failed.most_common()}
    for case in pool:
        piles.setdefault(case.reference, []).append(case)
    rounds = zip_longest(*piles.values())
    return (case for one_round in rounds for case in one_round if case is not None)


def _by_likeness(pool: Sequence[Case], evidence: Evidence) -> Iterable[Case]:
    """For each failure in turn the case most like it, then what the shuffle brings."""
    left = dict.fromkeys(pool)
    for row, _ in zip(cycle(evidence.failures), range(SHOTS[0] // 2), strict=False):
        if left:
            best = max(left, key=_likeness(row.case.input))
            del left[best]
            yield best
    yield from left


def _likeness(text: str) -> Callable[[Case], float]:
    wanted = ngrams(text)

    def likeness(case: Case) -> float:
        found = ngrams(case.input)
        return len(wanted & found) / max(1, len(wanted | found))

    return likeness


def _room(evidence: Evidence) -> int:
    """What is left for examples, as evidence.length measures it."""
    parent, length = evidence.parent, evidence.length
    spent = length.size(without_examples(parent.system_prompt)) + length.size(parent.output_prompt)
    return length.room - spent - len("\n\n<examples>\n\n</examples>")


def _within(evidence: Evidence, ordered: Iterable[Case], wanted: int, room: int) -> list[Case]:
    """The first ``wanted`` cases that fit."""
    chosen: list[Case] = []
    for case in ordered:
        if (size := _size(evidence, case)) <= room:
            chosen.append(case)
            room -= size
        if len(chosen) == wanted:
            break
    return chosen


def _size(evidence: Evidence, case: Case) -> int:
    return evidence.length.size(as_example(case)) + 2


def _short(label: str) -> str:
    return label if len(label) <= 30 else f"{label[:29]}…"
