"""Whole trainings on the simulated models: vague prompts get much better, good ones are kept, bad proposals are refused."""

from __future__ import annotations

import csv
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import pytest

from app.core import scorers
from app.core.budget import Budget, Limits
from app.core.datasets import split
from app.core.desk import Policy
from app.core.kinds.train import train
from app.core.kinds.training import Training
from app.core.model import Candidate, Case, Exam
from app.core.responders.single_turn import SingleTurn
from app.core.run import Run
from app.llm.simulated import SimulatedLLM
from app.ports.journal import Totals
from app.ports.llm import Json, ModelRef
from app.store.memory import MemoryRecord
from tests.core.optimizers.evidence_world import FOLDER, body
from tests.llm.test_simulated_primary import BARE, DEFINED

SAMPLES = Path(__file__).resolve().parents[2] / "data/samples"
VAGUE = "You are a support assistant. Classify the message."
SEEDS = (1, 2, 4, 8, 42)


class Trained(NamedTuple):
    """What became of a training."""

    outcome: Json
    fates: list[str]
    repairs: int
    calls: int

    def of(self, part: str, side: str) -> float:
        return float(self.outcome[part][side]["mean"])


def parts(name: str, seed: int) -> list[tuple[Case, ...]]:
    with (SAMPLES / name).open(encoding="utf-8", newline="") as file:
        rows = [(i, row[0], row[1]) for i, row in enumerate(list(csv.reader(file))[1:])]
    found = split(rows, (60, 20, 20), seed)
    named = (("train", found.train), ("validation", found.validation), ("test", found.test))
    return [tuple(Case(str(i), rows[i][1], rows[i][2], part) for i in numbers) for part, numbers in named]


async def trained(name: str, system: str, output: str, scorer: str, seed: int, strategy: str = "auto") -> Trained:
    train_part, validation, test = parts(name, seed)
    spec = Training(
        start=Candidate(system, output, ModelRef("simulated/primary", {"temperature": 0.0})),
        optimizer=ModelRef("simulated/optimizer", {"temperature": 0.7}),
        exam=Exam(SingleTurn(), scorers.build(scorer)),
        train=train_part,
        validation=validation,
        test=test,
        strategy=strategy,
        instructions=body(FOLDER / f"optimizer/{strategy}.md"),
        task_hint=f"Answers are scored by {scorer}.",
        acceptance="improvement",
        alpha=0.05,
        min_delta=0.0,
        epochs=10,
        batch_size=16,
        patience=3,
        seed=seed,
        max_prompt_chars=12_000,
    )
    record = MemoryRecord()
    llm = SimulatedLLM(latency_s=0.0)
    run = Run(llm, record.claim(), Budget(Limits(), Totals()), Policy(), concurrency=16, resumed=False)
    outcome = await run.conduct(lambda r: train(r, spec))
    fates = [e.data["fate"] for e in record.events if e.name == "proposal"]
    optimizer_calls = [call for call in record.calls.values() if call.intent.role == "optimizer"]
    repairs = sum(any(m["role"] == "assistant" for m in call.intent.request["messages"]) for call in optimizer_calls)
    return Trained(outcome, fates, repairs, len(record.calls))


async def test_a_vague_prompt_learns_to_classify() -> None:
    runs = [await trained("support_intents.csv", VAGUE, "", "exact_match", seed) for seed in SEEDS]
    assert all(0.1 <= run.of("validation", "initial") <= 0.4 for run in runs)
    assert all(run.of("validation", "final") >= 0.6 for run in runs)
    assert 0.7 <= mean(run.of("validation", "final") for run in runs) <= 0.9
    assert mean(run.of("test", "final") for run in runs) >= mean(run.of("test", "initial") for run in runs) + 0.3
    assert sum(run.outcome["verdict"] == "ship" for run in runs) >= len(runs) - 1
    assert all(run.fates.count("rejected") >= 2 and run.fates.count("accepted") >= 2 for run in runs)
    assert sum(run.repairs for run in runs) >= 2, "some of the optimiser's replies are malformed"
    assert all(run.outcome["simulated"] for run in runs)
    assert max(run.calls for run in runs) < 1500


async def test_a_good_prompt_is_kept() -> None:
    runs = [await trained("support_intents.csv", DEFINED, BARE, "exact_match", seed) for seed in SEEDS]
    assert sum(run.outcome["verdict"] == "keep" for run in runs) >= len(runs) - 1


@pytest.mark.parametrize("strategy", ["full_rewrite", "targeted_edit"])
async def test_each_model_driven_strategy_learns(strategy: str) -> None:
    runs = [await trained("support_intents.csv", VAGUE, "", "exact_match", seed, strategy) for seed in SEEDS]
    assert mean(run.of("validation", "final") - run.of("validation", "initial") for run in runs) >= 0.35


@pytest.mark.parametrize(
    ("name", "system", "scorer", "gain"),
    [
        ("english_french.csv", "You are a translator.", "chrf", 0.15),
        ("order_extraction.csv", "Extract the order from the message.", "json_match", 0.5),
    ],
)
async def test_the_other_samples_learn_too(name: str, system: str, scorer: str, gain: float) -> None:
    runs = [await trained(name, system, "", scorer, seed) for seed in (1, 3, 4, 42)]
    assert mean(run.of("validation", "final") - run.of("validation", "initial") for run in runs) >= gain
    assert mean(run.of("test", "final") - run.of("test", "initial") for run in runs) >= gain
    assert sum(run.outcome["verdict"] == "ship" for run in runs) >= len(runs) - 1
