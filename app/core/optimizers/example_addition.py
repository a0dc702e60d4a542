"""Few-shot examples from the train split, aimed at the answers that fail; needs no optimiser model."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import cycle, zip_longest

from app.core.model import Ask, Case
from app.core.optimizers.base import Evidence, Proposal
from app.core.optimizers.evidence import ngrams
from app.core.optimizers.examples import as_example, fit_for_example, with_examples, without_examples

SHOTS = (6, 10, 4, 14, 8)
"""Examples in a proposal, epoch by epoch: how many help differs from task to task."""
_REPEATED = 0.5
"""Answers count as labels when at most this share of the train answers is distinct."""


class ExampleAddition:
    """See the module's first line."""

    name = "example_addition"
    summary = (
        "Train examples are added to the system prompt, chosen for the answers that fail. Needs no optimiser model."
    )
    needs_optimizer = False
    adds_examples = True
    template = ""

    async def propose(self, evidence: Evidence, ask: Ask) -> list[Proposal]:  # noqa: ARG002 - the strategy asks nobody
        """See app.core.optimizers.base.Strategy."""
        chosen = await asyncio.to_thread(choose_examples, evidence)  # may read thousands of long cases
        if not chosen:
            return []
        parent = evidence.parent
        labels = Counter(case.reference for case in chosen)
        aim = ", ".join(f"{_short(label)} ({count})" for label, count in labels.most_common(5))
        return [
            Proposal(
                with_examples(parent.system_prompt, chosen),
                parent.output_prompt,
                f"{len(chosen)} examples from the train split, chosen towards the answers that failed: {aim}.",
            )
        ]


def choose_examples(evidence: Evidence) -> list[Case]:
    """The examples of this epoch, within the length budget; the same evidence gives the same examples.

    No single one may take more than half of the room.

    The rows just seen are left out while there are others: the proposal is tried on them next, and showing it their answers
    would make that trial worthless.
    """
    numbers = random.Random(f"{evidence.seed}/examples/{evidence.epoch}")  # noqa: S311 - no secret
    seen = {row.case.id for row in (*evidence.failures, *evidence.successes)}
    room = _room(evidence)
    usable = [case for case in evidence.train if _size(case) <= room // 2 and fit_for_example(case)]
    fit = numbers.sample(usable, len(usable))
    others = [case for case in fit if case.id not in seen]
    wanted = SHOTS[(evidence.epoch - 1) % len(SHOTS)]
    pool = others if len(others) >= wanted else fit
    by_label = _labelled(evidence.train)
    ordered = (_by_label if by_label else _by_likeness)(pool, evidence)
    chosen = _within(ordered, wanted, room)
    # The last example weighs most on many models: what was chosen first, for the failures, goes to the end.
    return chosen[::-1]


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
    """Characters left for examples."""
    parent = evidence.parent
    spent = len(without_examples(parent.system_prompt)) + len(parent.output_prompt)
    return evidence.max_prompt_chars - spent - len("\n\n<examples>\n\n</examples>")


def _within(ordered: Iterable[Case], wanted: int, room: int) -> list[Case]:
    """The first ``wanted`` cases that fit."""
    chosen: list[Case] = []
    for case in ordered:
        if _size(case) <= room:
            chosen.append(case)
            room -= _size(case)
        if len(chosen) == wanted:
            break
    return chosen


def _size(case: Case) -> int:
    return len(as_example(case)) + 2


def _short(label: str) -> str:
    return label if len(label) <= 30 else f"{label[:29]}…"
