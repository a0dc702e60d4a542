"""Trainings on the recorded answers of a real model: what is known to help is shipped, what is known not to help is not."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.core import scorers
from app.core.datasets import split
from app.core.model import Candidate, Case, Exam
from app.core.responders.single_turn import SingleTurn
from app.ports.llm import Json, Request
from app.store.memory import MemoryRecord
from tests.core.test_train import conduct
from tests.core.training_world import OPTIMIZER, PRIMARY, training
from tests.fakes.llm import RuleLLM

REASONING = "Think step by step, then say: the answer is X."
LAST_CHOICE = "regex:pattern=(\\([A-Z]\\))"


def recorded(folder: Path, task: str, inputs: Sequence[str]) -> RuleLLM:
    """The model of the recording: it reasons when it is asked to. The optimiser has that one idea."""
    file = folder / f"recorded_outputs/{task}_code-davinci-002.jsonl"
    answers = {inputs[row["idx"]]: row for row in map(json.loads, file.read_text("utf-8").splitlines())}

    def rule(request: Request) -> str:
        if request.model == OPTIMIZER:
            return json.dumps(
                {"system_prompt": REASONING, "output_prompt": "", "reasoning": "Reason before answering."}
            )
        row = answers[request.messages[-1].content]
        reasons = request.messages[0].content == REASONING
        return str(row["recorded_cot" if reasons else "recorded_direct"])

    return RuleLLM(rule)


async def trained(folder: Path, task: str, split_by: tuple[int, int, int]) -> tuple[Json, MemoryRecord]:
    with (folder / f"datasets/{task}.csv").open(encoding="utf-8", newline="") as file:
        rows = [(n, row["user_input"], row["ground_truth_output"]) for n, row in enumerate(csv.DictReader(file), 1)]
    parts, by_row = split(rows, split_by, 8), {number: texts for number, *texts in rows}

    def cases(numbers: tuple[int, ...], name: str) -> tuple[Case, ...]:
        return tuple(Case(str(number), *by_row[number], split=name) for number in numbers)

    spec = training(
        start=Candidate("Choose the right option.", "", PRIMARY),
        exam=Exam(SingleTurn(), scorers.build(LAST_CHOICE)),
        train=cases(parts.train, "train"),
        validation=cases(parts.validation, "validation"),
        test=cases(parts.test, "test"),
        batch_size=16,
    )
    return await conduct(spec, recorded(folder, task, [text for _, text, _ in rows]))


async def test_reasoning_about_dates_is_shipped(shared_data: Path) -> None:
    """Published: 63.6 % without, 87.2 % with reasoning."""
    outcome, _ = await trained(shared_data, "bbh_date_understanding", (30, 30, 40))
    assert outcome["verdict"] == "ship"
    test = outcome["test"]
    assert test["paired"]["low"] < 0.872 - 0.636 < test["paired"]["high"]
    assert test["initial"]["low"] < 0.636 < test["initial"]["high"]
    assert test["final"]["low"] < 0.872 < test["final"]["high"]


async def test_reasoning_about_sarcasm_is_not(shared_data: Path) -> None:
    """Published: 61.2 % without, 59.6 % with reasoning."""
    outcome, record = await trained(shared_data, "bbh_snarks", (30, 30, 40))
    assert outcome["verdict"] == "keep"
    proposals = [e.data for e in record.history if e.name == "proposal"]
    assert {p["system_prompt"] for p in proposals} == {REASONING}


async def test_a_large_sealed_test_tells_the_published_difference(shared_data: Path) -> None:
    outcome, _ = await trained(shared_data, "bbh_date_understanding", (20, 20, 60))
    assert outcome["test"]["paired"]["n"] == outcome["test"]["paired"]["asked"] >= 140
    assert outcome["test"]["paired"]["delta"] == pytest.approx(0.872 - 0.636, abs=0.08)
