"""Our engine on a world: the real search with the journal in memory; only the models are simulated.

Two ways lead through it. ``engine`` is the whole engine, call desk included. ``Quick`` answers without the call desk, which
decides nothing in a search but takes most of the time; tests/core/optimizers/test_benchmark.py shows that both tell the
same story.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from app.core import scorers
from app.core.budget import Budget, Limits
from app.core.desk import Policy
from app.core.evaluation import Report, pieces
from app.core.halt import BudgetReached
from app.core.kinds.train import train
from app.core.kinds.training import Training
from app.core.model import Candidate, Case, Exam
from app.core.optimizers import STRATEGIES
from app.core.responders.single_turn import SingleTurn
from app.core.run import Run
from app.ports.journal import Sample, Totals
from app.ports.llm import CallError, Json, ModelRef, Price, Reply, Request, Usage
from app.services.prompts.instructions import shipped_instructions
from app.store.memory import MemoryJournal, MemoryRecord
from benchmarks.optimizers.reflector import Row, edits, reflect, rewritten
from benchmarks.optimizers.trace import SIZES, Trace
from benchmarks.optimizers.worlds import START, Item, World, features_of, joined

PRIMARY = ModelRef("simulated/world", {"temperature": 0, "max_output_tokens": 8})
OPTIMIZER = ModelRef("simulated/reflector", {"temperature": 0.7, "max_output_tokens": 2000})
_FENCED = re.compile(r"<([a-z_]+)-([0-9a-f]{6,})>\n(.*?)\n</\1-\2>", re.DOTALL)
_MOST = re.compile(r"at most (\d+) edits")


class Models:
    """Both models of a world. failing: what a primary call raises instead of an answer, if anything."""

    def __init__(self, world: World, items: Sequence[Item], failing: Callable[[str], CallError | None] | None = None):
        self.rollouts = 0
        self.reflections = 0
        self._world = world
        self._items = {item.input: item for item in items}
        self._failing = failing

    async def complete(self, request: Request, *, deadline_s: float) -> Reply:  # noqa: ARG002
        """See app.ports.llm.LLM."""
        text = self._reflect(request) if request.model == OPTIMIZER else self._answer(request)
        return Reply(text, "stop", Usage(1, 1), 0.0, None, 0.0, "world")

    def price(self, model: ModelRef) -> Price | None:  # noqa: ARG002
        """See app.ports.llm.LLM."""
        return Price(0.0, 0.0)

    async def aclose(self) -> None:
        """See app.ports.llm.LLM."""

    def _answer(self, request: Request) -> str:
        system = request.messages[0].content if len(request.messages) > 1 else ""
        given, _, closing = request.messages[-1].content.partition("\n\n")
        if self._failing and (error := self._failing(given)):
            raise error
        self.rollouts += 1
        item = self._items[given]
        return item.reference if self._world.right(joined(system, closing), item) else "wrong"

    def sample(self, key: str, candidate: Candidate, case: Case) -> Sample:
        """What the engine would record for a case."""
        prompt = joined(candidate.system_prompt, candidate.output_prompt)
        if self._failing and self._failing(case.input):
            return Sample(key, candidate.digest, case.id, 0, case.split, "provider_error", None, "", "")
        self.rollouts += 1
        right = self._world.right(prompt, self._items[case.input])
        answer = case.reference if right else "wrong"
        feedback = "Correct." if right else f'Expected "{case.reference}", got "wrong".'
        return Sample(key, candidate.digest, case.id, 0, case.split, "scored", float(right), feedback, answer, calls=1)

    def _reflect(self, request: Request) -> str:
        self.reflections += 1
        asked = request.messages[1].content  # what follows it is a complaint about an unusable reply
        luck = random.Random(f"{self._world.seed}/{[m.content for m in request.messages]}")
        fenced = list(_FENCED.finditer(asked))
        texts = {match[1]: match[3] for match in reversed(fenced)}
        prompts = (texts["system_prompt"], texts["output_prompt"])
        rows = [
            Row(features_of(match[3]), "Success" in asked[max(0, match.start() - 60) : match.start()])
            for match in fenced
            if match[1] == "input"
        ]
        most = min(3, int(found[1])) if (found := _MOST.search(asked)) else 3
        change = reflect(self._world, prompts, rows, most=most, luck=luck)
        if '"edits"' in asked:
            return json.dumps({"edits": edits(prompts, change, most), "reasoning": "Rules for what fails."})
        child = (rewritten(prompts[0], change, luck), rewritten(prompts[1], change, luck, owner=False))
        return json.dumps(dict(zip(("system_prompt", "output_prompt"), child, strict=True)) | {"reasoning": "Anew."})


def training(
    world: World, strategy: str, sizes: Sequence[int] = SIZES, **changes: object
) -> tuple[Training, list[Item]]:
    """A training on a world that only its budget ends, and every case of it."""
    parts = world.cases(*sizes)
    names = ("train", "validation", "test")
    cases = [
        tuple(Case(item.id, item.input, item.reference, name) for item in part)
        for name, part in zip(names, parts, strict=True)
    ]
    settings: dict[str, object] = {
        "start": Candidate(*START, PRIMARY),
        "optimizer": OPTIMIZER if STRATEGIES[strategy].needs_optimizer else None,
        "exam": Exam(SingleTurn(), scorers.build("exact_match")),
        "train": cases[0],
        "validation": cases[1],
        "test": (),
        "strategy": strategy,
        "instructions": shipped_instructions(strategy) if STRATEGIES[strategy].template else "",
        "task_hint": "Answers are scored by exact_match.",
        "acceptance": "improvement",
        "alpha": 0.05,
        "min_delta": 0.0,
        "epochs": 10_000,
        "batch_size": 16,
        "patience": 10_000,
        "seed": world.seed,
        "max_prompt_chars": 4_000,
    }
    return Training(**(settings | changes)), [item for part in parts for item in part]  # type: ignore[arg-type]


POLICY = Policy(deadline_s=60, sendings=1, backoff_s=0.001, longest_wait_s=0.001, circuit=1_000)


def engine(models: Models, journal: MemoryJournal, *, sendings: int = 1) -> Run:
    """A run on the whole engine. sendings: tries per call."""
    policy = replace(POLICY, sendings=sendings)
    return Run(models, journal, Budget(Limits(), Totals()), policy, concurrency=1, resumed=False)


class Quick(Run):
    """A run that answers every case itself. most: rollouts that it may spend; each answer is bought once."""

    def __init__(self, models: Models, journal: MemoryJournal, most: int) -> None:
        super().__init__(models, journal, Budget(Limits(), Totals()), POLICY, concurrency=1, resumed=False)
        self._models, self._most = models, most
        self._known: dict[str, Sample] = {}

    async def evaluate(
        self,
        candidates: Sequence[Candidate],
        cases: Sequence[Case],
        exam: Exam,
        repeats: int = 1,
        *,
        first: int = 0,
        stage: str = "",  # noqa: ARG002
        texts: bool = True,  # noqa: ARG002
    ) -> Report:
        """See app.core.run.Run."""
        wanted = pieces(candidates, cases, exam, range(first, first + repeats))
        for piece in wanted:
            if piece.key not in self._known:
                if self._models.rollouts >= self._most:
                    raise BudgetReached(f"the limit of {self._most} rollouts is reached")
                self._known[piece.key] = self._models.sample(piece.key, piece.candidate, piece.case)
        return Report([self._known[piece.key] for piece in wanted])


class Watching(MemoryJournal):
    """A journal that notes after how many rollouts a new prompt led the search."""

    def __init__(self, record: MemoryRecord, models: Models, trace: Trace) -> None:
        super().__init__(record, 1)
        record.fence = 1
        self._models, self._trace = models, trace

    def note(self, number: int, name: str, data: Json) -> None:
        """See app.ports.journal.Journal."""
        if name == "proposal" and data["fate"] == "accepted":
            prompt = joined(data["system_prompt"], data["output_prompt"])
            self._trace.steps.append((self._models.rollouts, prompt))
        super().note(number, name, data)


async def run(world_name: str, seed: int, budget: int, strategy: str, **changes: object) -> Trace:
    """One search by a strategy until the budget of rollouts is used up."""
    world = World(world_name, seed)
    spec, items = training(world, strategy, SIZES, **changes)
    trace = Trace([(0, joined(*START))])
    models = Models(world, items)
    await Quick(models, Watching(MemoryRecord(), models, trace), budget).conduct(lambda run: train(run, spec))
    trace.rollouts, trace.reflections = models.rollouts, models.reflections
    return trace
