"""A scorer that cannot do its work leaves samples without a score, never wrong ones; one that always fails pauses the run."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from app.core.halt import ProviderDown
from app.core.kinds.train import train
from app.core.model import Ask, Case, Exam, Response, Score, Unscored
from app.core.responders.single_turn import SingleTurn
from app.core.scorers import build
from app.core.scorers.exact_match import ExactMatch
from app.core.scorers.rubric import SCHEMA, Rubric
from app.ports.llm import CallError, Json, ModelRef, Request, ServerFault
from app.store.memory import MemoryRecord
from tests.core.training_world import engine, models, training

JUDGE = ModelRef("simulated/judge", {"max_output_tokens": 100})


@dataclass(frozen=True)
class Failing(ExactMatch):
    """exact_match that fails on the cases whose number a rule picks."""

    every: int = field(default=1)
    how: float | str = field(default="Unscored")

    async def score(self, case: Case, response: Response, ask: Ask) -> Score:
        if int(case.id) % self.every == 0:
            if isinstance(self.how, float):
                return Score(self.how)
            raise Unscored("scoring_failed", "it raised")
        return await super().score(case, response, ask)


@pytest.mark.parametrize("how", ["Unscored", float("nan"), 1.5, float("inf")])
async def test_what_could_not_be_scored_is_left_out_of_every_mean(how: float | str) -> None:
    spec = training(exam=Exam(SingleTurn(), Failing(every=4, how=how)), epochs=1)
    record = MemoryRecord()
    outcome = await engine(models(), record.claim()).conduct(lambda run: train(run, spec))
    failed = sum(int(case.id) % 4 == 0 for case in spec.test)
    assert (outcome["test"]["initial"]["n"], outcome["test"]["initial"]["asked"]) == (24 - failed, 24)
    samples = [s for s in record.samples.values() if int(s.case) % 4 == 0]
    assert {(s.outcome, s.score) for s in samples} == {("scoring_failed", None)}
    assert all(s.error and s.response for s in samples)


async def test_a_scorer_that_always_fails_pauses_the_run_with_words() -> None:
    spec = training(exam=Exam(SingleTurn(), Failing()))
    record = MemoryRecord()
    with pytest.raises(ProviderDown, match="none of 24 pieces got an answer and a score; the last error: it raised"):
        await engine(models(), record.claim()).conduct(lambda run: train(run, spec))
    assert record.samples == {}


async def test_a_judge_that_is_busy_now_and_then_gives_provider_errors_and_no_zeros() -> None:
    llm = models()
    taught = llm.rule

    def rule(request: Request) -> str | CallError:
        if request.model != JUDGE:
            return taught(request)
        assert request.response_schema == SCHEMA
        busy = len(request.messages[-1].content) % 5 == 0
        return ServerFault("busy") if busy else '{"explanation": "Fine.", "score": 5}'

    llm.rule = rule
    spec_of: Json = {"name": "rubric", "instructions": "{{input}} {{criteria}} {{response}} {{reply_format}}"}
    scorer = build(spec_of, judge=JUDGE)
    assert isinstance(scorer, Rubric)
    spec = training(exam=Exam(SingleTurn(), scorer), judge=JUDGE)
    record = MemoryRecord()
    outcome = await engine(llm, record.claim()).conduct(lambda run: train(run, spec))
    assert outcome["test"]["initial"]["mean"] == 1.0
    assert outcome["test"]["initial"]["n"] < 24
    assert {s.outcome for s in record.samples.values()} == {"scored", "provider_error"}
