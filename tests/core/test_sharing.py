"""A large evaluation is bought by several workers, and comes to the same as if one had bought it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

import pytest

from app.core import sharing
from app.core.budget import Budget, Limits
from app.core.evaluation import pieces
from app.core.halt import BudgetReached
from app.core.run import Run
from app.core.sharing import Part, cut, quota
from app.ports.crew import Ended, Shard
from app.ports.llm import Json, Price
from app.store.memory import MemoryJournal, MemoryRecord
from tests.core.test_run import CANDIDATE, CASES, EXAM, FAST, everything, reverse
from tests.fakes.llm import RuleLLM

OTHER = replace(CANDIDATE, system_prompt="other")


@dataclass
class Board:
    """The shards of a run in memory; each worker has a Hand on it."""

    works: list[Json] = field(default_factory=list)
    taken: dict[int, str] = field(default_factory=dict)
    over: dict[int, Ended] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    offered: asyncio.Event = field(default_factory=asyncio.Event)


class Hand:
    """Implements app.ports.crew.Crew."""

    def __init__(self, board: Board, owner: str, threshold: int = 10) -> None:
        self.board, self.owner, self.threshold = board, owner, threshold

    async def offer(self, works: Sequence[Json]) -> None:
        self.board.works = list(works)
        self.board.offered.set()
        await asyncio.sleep(0)

    async def take(self) -> Shard | None:
        for number, work in enumerate(self.board.works):
            if number not in self.board.taken or number in self.board.gone:
                again = number in self.board.gone
                self.board.gone.discard(number)
                self.board.taken[number] = self.owner
                return Shard(number, work, again)
        return None

    async def finish(self, number: int, ended: Ended) -> None:
        self.board.over[number] = ended

    async def ended(self) -> dict[int, Ended]:
        return dict(self.board.over)

    async def beat(self) -> int:
        return 0

    async def withdraw(self) -> None:
        self.board.works = []


async def helper(
    board: Board, llm: RuleLLM, record: MemoryRecord, *, shards: int = 99, dies: bool = False
) -> list[Ended]:
    """Another worker; dies: without a word in the middle of its last shard."""
    await board.offered.wait()
    hand, ends = Hand(board, "helper"), []
    while len(ends) < shards and (shard := await hand.take()):
        part = Part.of_json(shard.work)
        budget = Budget(part.limits, record.__class__().totals())
        run = Run(llm, MemoryJournal(record, record.fence), budget, FAST, concurrency=4, resumed=True)
        cases = part.cases[:2] if dies else part.cases
        problem = ""
        try:
            await run.conduct(lambda run: run.evaluate([part.candidate], cases, EXAM, part.repeats))  # noqa: B023
        except BudgetReached as reached:
            problem = str(reached)
        if dies:
            board.gone.add(shard.number)
            break
        ends.append(Ended(asdict(budget.spent), problem))
        await hand.finish(shard.number, ends[-1])
        await asyncio.sleep(0)
    return ends


def start(llm: RuleLLM, record: MemoryRecord, board: Board, limits: Limits | None = None) -> Run:
    budget = Budget(limits or Limits(), record.totals())
    return Run(llm, record.claim(), budget, FAST, concurrency=4, resumed=False, crew=Hand(board, "driver"))


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "SMALLEST", 4)
    monkeypatch.setattr(sharing, "LOOK_S", 0.005)


def test_parts_hold_one_candidate_and_whole_cases() -> None:
    parts = cut(pieces([CANDIDATE, OTHER], CASES[:5], EXAM, range(3)), size=4)
    assert [len(part) for part in parts] == [6, 6, 3, 6, 6, 3]
    assert all(len({piece.candidate.digest for piece in part}) == 1 for part in parts)
    assert [piece for part in parts for piece in part] == pieces([CANDIDATE, OTHER], CASES[:5], EXAM, range(3))


def test_a_part_comes_back_as_it_was_sent() -> None:
    part = Part.of(pieces([CANDIDATE], CASES[:2], EXAM, range(2)), EXAM.digest, Limits(usd=0.5, calls=7))
    assert Part.of_json(part.as_json()) == part
    assert (part.repeats, part.cases) == (2, tuple(CASES[:2]))


def test_the_concurrency_is_shared_out() -> None:
    assert [quota(16, others) for others in (0, 1, 2, 40)] == [16, 8, 5, 1]


async def test_two_workers_come_to_what_one_comes_to() -> None:
    alone = MemoryRecord()
    await Run(
        RuleLLM(reverse, latency_s=0.002),
        alone.claim(),
        Budget(Limits(), alone.totals()),
        FAST,
        concurrency=4,
        resumed=False,
    ).conduct(everything)
    llm, record, board = RuleLLM(reverse, latency_s=0.002), MemoryRecord(), Board()
    score, ends = await asyncio.gather(start(llm, record, board).conduct(everything), helper(board, llm, record))
    assert score == 20
    assert len(llm.paid) == 20
    assert 0 < len(ends) < 5
    assert record.samples == alone.samples
    assert record.history == alone.history
    assert board.works == []


async def test_the_driver_does_what_a_helper_leaves_when_it_dies() -> None:
    llm, record, board = RuleLLM(reverse, latency_s=0.002), MemoryRecord(), Board()
    run = start(llm, record, board)
    score, _ = await asyncio.gather(run.conduct(everything), helper(board, llm, record, dies=True))
    assert score == 20
    assert len(llm.paid) == 20
    assert run.budget.spent.calls == 20


async def test_a_small_evaluation_is_not_shared() -> None:
    board, record = Board(), MemoryRecord()
    await start(RuleLLM(reverse), record, board).conduct(lambda run: run.evaluate([CANDIDATE], CASES[:9], EXAM))
    assert not board.offered.is_set()


@pytest.mark.parametrize("calls", [20, 13])
async def test_a_limit_holds_for_all_together(calls: int) -> None:
    llm, record, board = RuleLLM(reverse, latency_s=0.002), MemoryRecord(), Board()
    run = start(llm, record, board, Limits(calls=calls))
    done, _ = await asyncio.gather(run.conduct(everything), helper(board, llm, record), return_exceptions=True)
    assert isinstance(done, BudgetReached) if calls < 20 else done == 20
    assert len(llm.paid) == run.budget.spent.calls == calls


async def test_a_shard_that_a_helper_could_not_finish_is_finished_here() -> None:
    llm, record, board = RuleLLM(reverse), MemoryRecord(), Board()

    class Refusing(Hand):
        async def offer(self, works: Sequence[Json]) -> None:
            await super().offer(works)
            board.taken[1], board.over[1] = "elsewhere", Ended(None, "another version")

    budget = Budget(Limits(), record.totals())
    crew = Refusing(board, "driver")
    run = Run(llm, record.claim(), budget, FAST, concurrency=4, resumed=False, crew=crew)
    assert await run.conduct(everything) == 20


def test_a_part_takes_its_model_s_price_and_region_along() -> None:
    model = replace(CANDIDATE.model, region="us-west-2", price=Price(1e-6, 2e-6, 5e-7))
    part = Part(replace(CANDIDATE, model=model), (CASES[0],), 1, "exam", Limits())
    assert Part.of_json(json.loads(json.dumps(part.as_json()))) == part


def test_a_region_makes_another_candidate_and_a_price_does_not() -> None:
    priced, elsewhere = (
        replace(CANDIDATE, model=replace(CANDIDATE.model, **change))
        for change in ({"price": Price(1.0, 1.0)}, {"region": "us-west-2"})
    )
    assert priced.digest == CANDIDATE.digest != elsewhere.digest
