"""The plain loop that people write first: no baseline, the first failures of the file, accept a higher validation mean."""

from __future__ import annotations

import random

from benchmarks.optimizers.reflector import Row, reflect, rewritten
from benchmarks.optimizers.trace import SIZES, Trace
from benchmarks.optimizers.worlds import START, World, joined


def run(world_name: str, seed: int, budget: int, shown: int = 8) -> Trace:
    """One run on the world of this seed, until the budget of rollouts is used up."""
    world = World(world_name, seed)
    train, validation, _ = world.cases(*SIZES)
    prompts, best, spent = START, -1.0, 0
    trace = Trace([(0, joined(*START))])
    while spent < budget:
        rows = [Row(item.features, world.right(joined(*prompts), item)) for item in train[: 2 * shown]]
        spent += len(rows)
        failing = [row for row in rows if not row.right][:shown]
        luck = random.Random(f"{seed}/greedy/{trace.reflections}")
        trace.reflections += 1
        change = reflect(world, prompts, failing, most=3, luck=luck)
        child = (rewritten(prompts[0], change, luck), rewritten(prompts[1], change, luck, owner=False))
        score = sum(world.right(joined(*child), item) for item in validation) / len(validation)
        spent += len(validation)
        if score > best and spent <= budget:
            prompts, best = child, score
            trace.steps.append((spent, joined(*prompts)))
    trace.rollouts = spent
    return trace
