"""A small training whose models are computed by rule, for tests of the train kind."""

from __future__ import annotations

import csv
from pathlib import Path

from app.core import scorers
from app.core.budget import Budget, Limits
from app.core.desk import Policy
from app.core.kinds.training import Training
from app.core.model import Candidate, Case, Exam
from app.core.responders.single_turn import SingleTurn
from app.core.run import Run
from app.ports.journal import Journal
from app.ports.llm import CallError, ModelRef, Request
from tests.fakes.llm import RuleLLM
from tests.fakes.rule_optimizer import propose
from tests.fakes.rule_world import RuleWorld

SAMPLE = Path(__file__).parents[2] / "data/samples/support_intents.csv"
PRIMARY = ModelRef("simulated/rule", {"max_output_tokens": 20})
OPTIMIZER = ModelRef("simulated/proposer", {"max_output_tokens": 400})
INSTRUCTIONS = (Path(__file__).parents[2] / "prompts/optimizer/full_rewrite.md").read_text("utf-8")
POLICY = Policy(deadline_s=5, sendings=2, backoff_s=0.001, longest_wait_s=0.01, circuit=6)


def cases(sizes: tuple[int, int, int]) -> tuple[tuple[Case, ...], ...]:
    """Train, validation and test cases of the sample, dealt out so that each part sees every label."""
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    rows = [rows[i] for step in range(7) for i in range(step, len(rows), 7)]
    found, at = [], 0
    for name, size in zip(("train", "validation", "test"), sizes, strict=True):
        found.append(tuple(Case(str(i), *rows[i], split=name) for i in range(at, at + size)))
        at += size
    return tuple(found)


def training(sizes: tuple[int, int, int] = (40, 24, 24), **changes: object) -> Training:
    """A training of a vague prompt on the support intents."""
    train, validation, test = cases(sizes)
    settings: dict[str, object] = {
        "start": Candidate("Classify the message.", "", PRIMARY),
        "optimizer": OPTIMIZER,
        "exam": Exam(SingleTurn(), scorers.build("exact_match")),
        "train": train,
        "validation": validation,
        "test": test,
        "strategy": "full_rewrite",
        "instructions": INSTRUCTIONS,
        "task_hint": "Answers are scored by exact_match.",
        "acceptance": "improvement",
        "alpha": 0.05,
        "min_delta": 0.0,
        "epochs": 4,
        "batch_size": 8,
        "patience": 3,
        "seed": 8,
        "max_prompt_chars": 6000,
    }
    return Training(**(settings | changes))  # type: ignore[arg-type]


def models(*, junk: float = 0.3) -> RuleLLM:
    """Both models of the world; an optimiser's reply is junk in that share of the requests."""
    world = RuleWorld()

    def rule(request: Request) -> str | CallError:
        messages = [{"role": m.role, "content": m.content} for m in request.messages]
        return propose(messages, junk=junk) if request.model == OPTIMIZER else world.answer(messages)

    return RuleLLM(rule)


def engine(
    llm: RuleLLM, journal: Journal, *, limits: Limits | None = None, resumed: bool = False, policy: Policy | None = None
) -> Run:
    """A run over a journal that holds nothing yet, unless it is resumed."""
    from app.ports.journal import Totals

    budget = Budget(limits or Limits(), Totals())
    return Run(llm, journal, budget, policy or POLICY, concurrency=4, resumed=resumed)
