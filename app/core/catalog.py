"""The one menu of kinds: how each is made ready from its pinned spec, and what runs it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.kinds import attempt, benchmark, compare, plan, rejudge, train, training
from app.core.run import Run
from app.ports.llm import Json
from app.ports.scoring import Tools


@dataclass(frozen=True)
class Kind:
    """One kind of run.

    title: what people call it. prepare: from the pinned spec, the dataset's rows and what scorers may use here to the kind's
    own value; raises ValueError when they do not belong together. execute: runs it and returns the outcome.
    """

    title: str
    prepare: Callable[[Json, Sequence[tuple[int, str, str]], Tools], Any]
    execute: Callable[[Run, Any], Awaitable[Json]]


KINDS: dict[str, Kind] = {
    "train": Kind("Training", training.prepare, train.train),
    "rejudge": Kind("Re-judge", rejudge.prepare, rejudge.rejudge),
    "plan": Kind("Plan", plan.prepare, plan.plan),
    "benchmark": Kind("Benchmark", benchmark.prepare, benchmark.benchmark),
    "compare": Kind("Comparison", compare.prepare, compare.compare),
    "try": Kind("Try", attempt.prepare, attempt.attempt),
}
