"""What a training is given: candidates, exam, splits and settings, made from the run's pinned spec."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.core import scorers
from app.core.datasets import split
from app.core.model import Candidate, Case, Exam, model_ref
from app.core.optimizers import STRATEGIES, Strategy
from app.core.pictures import with_marks
from app.core.responders.single_turn import SingleTurn
from app.ports.journal import Sample
from app.ports.llm import Json, ModelRef
from app.ports.scoring import Tools

BLOCKS = 4
"""Validation is raced in this many blocks, each of at least SMALLEST_BLOCK cases."""
SMALLEST_BLOCK = 8


@dataclass(frozen=True)
class Training:
    """Everything a training depends on. See docs/training.md for the meaning of each setting."""

    start: Candidate
    optimizer: ModelRef | None
    exam: Exam
    train: tuple[Case, ...]
    validation: tuple[Case, ...]
    test: tuple[Case, ...]
    strategy: str
    instructions: str
    task_hint: str
    acceptance: str
    alpha: float
    min_delta: float
    epochs: int
    batch_size: int
    patience: int
    seed: int
    max_prompt_chars: int | None
    failures: int = 8
    successes: int = 2
    judge: ModelRef | None = None
    stop_above_usd_per_point: float | None = None
    has_ledger: bool = True
    """Whether the run takes down what each epoch costs; runs of the first releases do not."""
    repeats: int = 1
    max_prompt_tokens: int | None = None
    locked: tuple[str, ...] = ()
    shorten: str = "off"
    shorten_margin: float = 0.02
    shorten_answers: int = 0

    @property
    def exams(self) -> tuple[Exam, ...]:
        """Everything that pieces of the run are examined by."""
        return (self.exam,)

    @property
    def replayed(self) -> bool:
        """Whether it is a finished training that is judged again: its proposals are known, whatever the minibatch shows."""
        return False

    @property
    def proposer(self) -> Strategy:
        """Who makes the proposals."""
        return STRATEGIES[self.strategy]

    def unmeasured(self, samples: Sequence[Sample]) -> str:  # noqa: ARG002 - a training buys every answer
        """Why these answers can win no race: some were never bought. "" when they can."""
        return ""

    def tell(self, ruling: str, sentence: str, final: Candidate) -> tuple[str, str]:  # noqa: ARG002 - it says it plainly
        """The verdict and its sentence as the run tells them; final: the version that won the search."""
        return ruling, sentence

    def batch(self, epoch: int, size: int, known: Collection[str] = ()) -> tuple[Case, ...]:
        """The epoch's shuffled minibatch of the train split, at most as large as that.

        known: ids of rows that the parent has answered already. They make up half of the batch, where there are enough; they
        cost nothing, and the other half brings in what has not been seen.
        """
        shuffled = random.Random(f"{self.seed}/batch/{epoch}").sample(self.train, len(self.train))  # noqa: S311 - no secret
        old = [case for case in shuffled if case.id in known]
        new = [case for case in shuffled if case.id not in known]
        reused = max(min(len(old), size // 2), size - len(new))
        chosen = {case.id for case in (*old[:reused], *new[: max(0, size - reused)])}
        return tuple(case for case in shuffled if case.id in chosen)

    def blocks(self) -> list[tuple[Case, ...]]:
        """The validation split in the order and portions in which it is raced; the order is shuffled once by the seed."""
        order = random.Random(f"{self.seed}/validation").sample(self.validation, len(self.validation))  # noqa: S311
        size = max(SMALLEST_BLOCK, math.ceil(len(order) / BLOCKS))
        return [tuple(order[i : i + size]) for i in range(0, len(order), size)]

    @property
    def simulated(self) -> bool:
        """Whether any model of it is the simulated provider."""
        models = (self.start.model, self.optimizer, self.judge)
        return any(m is not None and m.name.startswith("simulated/") for m in models)


def prepare(spec: Json, rows: Sequence[tuple[int, str, str]], tools: Tools) -> Training:
    """A training from its pinned spec, the dataset's (row, input, reference) triples, and what scorers may use here.

    spec: its "pictures" are those of the dataset's rows, where there are any. Raises: ValueError when the rows are not those
    that the spec was made for, or a scorer cannot work here.
    """
    pinned = spec["split"]
    pictures = spec.get("pictures", {})
    parts = split(with_marks(rows, pictures), pinned["ratios"], pinned["seed"])
    if parts.digest != pinned["digest"]:
        raise ValueError("the dataset or its split is not the one that this run was made for")
    by_row = {row: (input_, reference) for row, input_, reference in rows}

    def cases(numbers: Sequence[int], name: str) -> tuple[Case, ...]:
        return tuple(Case(str(row), *by_row[row], split=name, picture=pictures.get(row)) for row in numbers)

    # Runs that were made before there were judges do not name one.
    judge = _model(spec["judge"]) if spec.get("judge") else None
    return Training(
        start=Candidate(spec["system_prompt"], spec["output_prompt"], _model(spec["primary"])),
        optimizer=_model(spec["optimizer"]) if spec["optimizer"] else None,
        exam=Exam(SingleTurn(), scorers.build(spec["scorers"], tools, judge)),
        judge=judge,
        train=cases(parts.train, "train"),
        validation=cases(parts.validation, "validation"),
        test=cases(parts.test, "test"),
        strategy=spec["strategy"],
        instructions=spec["instructions"],
        task_hint=scorers.hint(spec["scorers"]),
        acceptance=spec["acceptance"],
        alpha=spec["alpha"],
        min_delta=spec["min_delta"],
        epochs=spec["epochs"],
        batch_size=spec["batch_size"],
        patience=spec["patience"],
        seed=spec["seed"],
        max_prompt_chars=spec["max_prompt_chars"],
        failures=spec["failures"],
        successes=spec["successes"],
        stop_above_usd_per_point=spec.get("stop_above_usd_per_point"),
        has_ledger="stop_above_usd_per_point" in spec,
        repeats=spec.get("repeats", 1),
        # Runs of a release before this one know no tokens, no locked texts and no shortening.
        max_prompt_tokens=spec.get("max_prompt_tokens"),
        locked=tuple(spec.get("locked", ())),
        shorten=spec.get("shorten", "off"),
        shorten_margin=spec.get("shorten_margin", 0.02),
        shorten_answers=spec.get("shorten_answers", 0),
    )


def _model(spec: Json) -> ModelRef:
    return model_ref(spec)
