"""From traces to figures: true accuracy at each budget, rollouts to 90 % of the attainable gain, and the ratio to gepa's."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Mapping, Sequence

from app.core.model import Candidate
from app.core.stats import paired, verdict
from app.ports.journal import Sample
from benchmarks.optimizers.ours import PRIMARY
from benchmarks.optimizers.trace import SIZES, Trace
from benchmarks.optimizers.worlds import START, World, joined

BUDGETS = (150, 300, 600, 1200, 4800)
SHARE = 0.9
"""Of the attainable gain."""

Runs = Mapping[int, Trace]


def reached(world: str, runs: Runs, most: int) -> dict[int, int]:
    """By seed the rollouts until the true accuracy of the best prompt is near enough; ``most`` when it never came so far."""
    found = {}
    for seed, trace in runs.items():
        made = World(world, seed)
        start = made.accuracy(joined(*START))
        goal = start + SHARE * (made.best - start)
        found[seed] = next(
            (spent for spent, prompt in trace.steps if made.accuracy(prompt) >= goal and spent <= most), most
        )
    return found


def accuracy(world: str, runs: Runs, budget: int) -> float:
    """Mean true accuracy of the best prompt when so many rollouts were spent."""
    return statistics.fmean(World(world, seed).accuracy(trace.at(budget)) for seed, trace in runs.items())


def shipped(world: str, runs: Runs, budget: int) -> float:
    """The same with the sealed test paid out of the budget, and the initial prompts kept unless its verdict is to ship."""
    return statistics.fmean(_shipped(World(world, seed), trace, budget) for seed, trace in runs.items())


def _shipped(world: World, trace: Trace, budget: int) -> float:
    start, price = joined(*START), 2 * SIZES[2]
    best = trace.at(budget - price) if budget > price else start
    if best == start:
        return world.accuracy(start)
    test = world.cases(*SIZES)[2]
    before, after = ([_sample(prompt, item.id, world.right(prompt, item)) for item in test] for prompt in (start, best))
    ruling, _ = verdict(paired(before, after, seed=world.seed))
    return world.accuracy(best if ruling == "ship" else start)


def _sample(prompt: str, case: str, right: bool) -> Sample:
    return Sample(
        f"{prompt}/{case}", Candidate(prompt, "", PRIMARY).digest, case, 0, "test", "scored", float(right), "", ""
    )


def ratio(ours: Sequence[Mapping[int, int]], theirs: Sequence[Mapping[int, int]]) -> tuple[float, float, float]:
    """Geometric mean of ours / theirs over worlds and seeds, paired, with its 95 % bootstrap interval."""
    logs = [
        math.log(one[seed] / other[seed])
        for one, other in zip(ours, theirs, strict=True)
        for seed in one
        if seed in other
    ]
    numbers = random.Random("ratio")
    means = sorted(statistics.fmean(numbers.choices(logs, k=len(logs))) for _ in range(5_000))
    return math.exp(statistics.fmean(logs)), math.exp(means[125]), math.exp(means[4874])
