"""The gate simulator: how often a truly worse prompt is shipped, how far reports are from the truth, and what errors change.

The real training kind runs on a world of numbers: every proposal is a prompt with a true accuracy of its own, most of them a
little worse than where they come from. Nothing else is simulated than the answers.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.core.kinds.train import train
from app.ports.llm import CallError, Request, ServerFault
from app.store.memory import MemoryRecord
from benchmarks.optimizers.ours import Models, Quick, engine, training
from benchmarks.optimizers.worlds import Item, World, draw

SIZES = (150, 100, 100)
SENDINGS = 5
"""Tries of a call, as in a fresh installation."""
_LEVEL = re.compile(r"^Level (\d+)\.$", re.MULTILINE)


class Levels(World):
    """A world in which a prompt says its own accuracy, in hundredths of a percent."""

    def accuracy(self, prompt: str) -> float:
        """See World."""
        return int(found[1]) / 10_000 if (found := _LEVEL.search(prompt)) else 0.6

    def right(self, prompt: str, item: Item) -> bool:
        """Half of the luck is the case's own, half that of the prompt with the case."""
        own = draw(self.seed, item.id, prompt) < 0.5
        luck = draw(self.seed, item.id, prompt, "own") if own else draw(self.seed, item.id)
        return luck < self.accuracy(prompt)


@dataclass(frozen=True)
class Shift:
    """What proposals bring: a normal distribution of the change of accuracy against the initial 0.6, and how many there are."""

    mean: float
    deviation: float
    epochs: int


class Proposer(Models):
    """A reflector whose every proposal has a true accuracy drawn from the shift."""

    def __init__(self, world: World, items: Sequence[Item], shift: Shift, failing: Any = None) -> None:
        super().__init__(world, items, failing)
        self._shift = shift
        self._numbers = random.Random(f"{world.seed}/levels")

    def _reflect(self, request: Request) -> str:  # noqa: ARG002
        level = 0.6 + self._numbers.gauss(self._shift.mean, self._shift.deviation)
        text = f"Handle the note.\nLevel {round(10_000 * min(0.98, max(0.02, level)))}."
        return json.dumps({"system_prompt": text, "output_prompt": "Answer.", "reasoning": "Drawn."})


async def one(seed: int, shift: Shift, failing: Any = None, *, retries: bool = False) -> dict[str, float | bool | None]:
    """One training: the verdict, the true gain of the searched prompt, and the reported one.

    failing: what an answer fails with, if anything. retries: whether the call desk of the engine asks again then.
    """
    world = Levels("labels", seed)
    spec, items = training(world, "full_rewrite", SIZES, epochs=shift.epochs, patience=shift.epochs)
    cases = tuple(_case(item) for item in items[-SIZES[2] :])
    spec = type(spec)(**{**vars(spec), "test": cases})
    models = Proposer(world, items, shift, failing)
    journal = MemoryRecord().claim()
    run = engine(models, journal, sendings=SENDINGS) if retries else Quick(models, journal, 10**9)
    outcome = await run.conduct(lambda run: train(run, spec))
    true = world.accuracy(outcome["final"]["system_prompt"]) - 0.6
    found = outcome["final"]["number"] != 0
    return {
        "found": found,
        "shipped": outcome["verdict"] == "ship",
        "true": true if found else 0.0,
        "reported": outcome["test"]["paired"]["delta"] if found else 0.0,
    }


def _case(item: Item) -> Any:
    from app.core.model import Case

    return Case(item.id, item.input, item.reference, "test")


def ship(runs: int) -> dict[str, float | int]:
    """10 epochs of proposals that are mostly no better."""
    found = [asyncio.run(one(seed, Shift(-0.01, 0.05, 10))) for seed in range(runs)]
    worse = [f for f in found if f["shipped"] and float(f["true"] or 0) < 0]
    searched = [f for f in found if f["found"]]
    naive = [f for f in searched if float(f["true"] or 0) < 0]
    gaps = [100 * (float(f["reported"] or 0) - float(f["true"] or 0)) for f in searched]
    shipped = [100 * (float(f["reported"] or 0) - float(f["true"] or 0)) for f in found if f["shipped"]]
    effect = [100 * ((float(f["reported"] or 0) - float(f["true"] or 0)) if f["shipped"] else 0.0) for f in found]
    return {
        "runs": runs,
        "searched": len(searched),
        "shipped": len(shipped),
        "ship_worse": len(worse) / runs,
        "search_worse": len(naive) / runs,
        "bias_measured_points": sum(gaps) / max(1, len(gaps)),
        "bias_given_ship_points": sum(shipped) / max(1, len(shipped)),
        "bias_all_runs_points": sum(effect) / runs,
    }


def errors(runs: int, share: float = 0.1) -> dict[str, float | int]:
    """How often one proposal that is truly 8 points better is accepted by the search, with and without provider errors.

    Once every answer of the provider may be an error, and the engine asks again; once an error is final, so that the example is
    lost for the comparison.
    """
    shift = Shift(0.08, 0.0, 1)

    def accepted(failing: float, *, retries: bool) -> float:
        count = itertools.count()

        def broken(given: str) -> CallError | None:
            return ServerFault("503") if draw(given, next(count), "error") < failing else None

        return sum(bool(asyncio.run(one(seed, shift, broken, retries=retries))["found"]) for seed in range(runs)) / runs

    return {
        "runs": runs,
        "share": share,
        "accepted": accepted(0.0, retries=False),
        "accepted_with_errors": accepted(share, retries=True),
        "accepted_with_final_errors": accepted(share, retries=False),
    }
