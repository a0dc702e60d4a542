"""Run in gepa's own environment: drives gepa over the same worlds and reflector, and prints one JSON line a run.

python -m benchmarks.optimizers.gepa_driver WORLD FIRST LAST BUDGET MINIBATCH
"""

from __future__ import annotations

import json
import random
import sys
from typing import Any

import gepa  # type: ignore[import-not-found, unused-ignore]
from gepa.core.adapter import EvaluationBatch  # type: ignore[import-not-found, unused-ignore]

from benchmarks.optimizers.reflector import Row, reflect, rewritten
from benchmarks.optimizers.trace import SIZES, Trace
from benchmarks.optimizers.worlds import START, Item, World, joined


class Adapter:
    """gepa's way to a world."""

    def __init__(self, world: World, seed: int, trace: Trace) -> None:
        self._world, self._seed, self._trace = world, seed, trace

    def evaluate(self, batch: list[Item], candidate: dict[str, str], capture_traces: bool = False) -> Any:
        """Answer a batch."""
        prompt = candidate["prompt"]
        scores = [float(self._world.right(prompt, item)) for item in batch]
        self._trace.rollouts += len(batch)
        rows = [Row(item.features, bool(score)) for item, score in zip(batch, scores, strict=True)]
        return EvaluationBatch(outputs=list(scores), scores=scores, trajectories=rows if capture_traces else None)

    def make_reflective_dataset(self, candidate: dict[str, str], found: Any, components: list[str]) -> Any:  # noqa: ARG002
        """What the reflector is shown."""
        return {name: [{"row": row} for row in found.trajectories] for name in components}

    def propose_new_texts(self, candidate: dict[str, str], dataset: Any, components: list[str]) -> dict[str, str]:
        """Ask the shared reflector."""
        self._trace.reflections += 1
        luck = random.Random(f"{self._seed}/gepa/{self._trace.reflections}")
        rows = [record["row"] for record in dataset[components[0]]]
        change = reflect(self._world, (candidate["prompt"], ""), rows, most=3, luck=luck)
        return {"prompt": rewritten(candidate["prompt"], change, luck)}


class Quiet:
    """gepa's log is not needed."""

    def log(self, message: str) -> None:
        """Say nothing."""


def run(world_name: str, seed: int, budget: int, minibatch: int) -> Trace:
    """One run of gepa as it comes, its evaluation cache switched on, which spares it rollouts.

    Both prompts are one component, so that no turn is lost on the other one.
    """
    world = World(world_name, seed)
    train, validation, _ = world.cases(*SIZES)
    trace = Trace([(0, joined(*START))])

    def watch(state: Any) -> bool:
        scores = state.program_full_scores_val_set
        prompt = state.program_candidates[max(range(len(scores)), key=scores.__getitem__)]["prompt"]
        if prompt != trace.steps[-1][1]:
            trace.steps.append((trace.rollouts, prompt))
        return trace.rollouts >= budget

    gepa.optimize(
        seed_candidate={"prompt": joined(*START)},
        trainset=train,
        valset=validation,
        adapter=Adapter(world, seed, trace),
        reflection_minibatch_size=minibatch,
        stop_callbacks=watch,
        cache_evaluation=True,
        logger=Quiet(),
        seed=seed,
    )
    return trace


def main() -> None:
    """Print a line for each seed."""
    world, (first, last, budget, minibatch) = sys.argv[1], map(int, sys.argv[2:])
    for seed in range(first, last):
        trace = run(world, seed, budget, minibatch)
        print(json.dumps({"seed": seed, "steps": trace.steps, "reflections": trace.reflections}), flush=True)


if __name__ == "__main__":
    main()
