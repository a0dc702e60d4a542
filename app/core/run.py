"""The engine: a kind of run reaches the world through evaluate, step, note and ask, and gets durability in return.

What the journal holds is handed back instead of being bought again, so a run that was cut short is continued by running it
again from the start. For that a kind must make the same decisions in the same order, given its spec and the journal.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from app.core.asking import Asker
from app.core.budget import Amount, Budget
from app.core.desk import Desk, Policy
from app.core.evaluation import Evaluation, Piece, Report, pieces, side_by_side
from app.core.halt import Cancelled, Halt, Paused, Undecided
from app.core.model import Candidate, Case, Exam, Work
from app.core.pace import LocalPace
from app.core.progress import Progress
from app.core.sharing import Sharing, keep_shards, quota
from app.core.storable import storable_json
from app.ports.crew import Crew
from app.ports.journal import Journal, JournalError, Step, Totals
from app.ports.live import Ear
from app.ports.llm import LLM, Json, Listener, Message, ModelRef, Request
from app.ports.pace import Pace

T = TypeVar("T")

HEARTBEAT_S = 1.0
"""Seconds between two renewals of the lease; the user's wish is heard then."""
GRACE_S = 3.0
"""Seconds that calls under way get to end after a pause or cancel."""
SEALED = "test"
HIDDEN = {"validation", SEALED}
"""Splits whose every look counts."""


class SealBroken(RuntimeError):
    """A kind has read the sealed split twice: the second result would be chosen by the first."""


class Run:
    """One claimed run under way.

    concurrency: calls in flight at most. resumed: whether an earlier claim may have left records. pace: where turns under
    rate limits come from; None for this process alone. crew: other workers that may help with large evaluations.
    """

    def __init__(
        self,
        llm: LLM,
        journal: Journal,
        budget: Budget,
        policy: Policy,
        *,
        concurrency: int,
        resumed: bool,
        pace: Pace | None = None,
        crew: Crew | None = None,
    ) -> None:
        self.others = 0
        """Other workers that buy for the same run now; the run's concurrency is shared out among all."""
        self._crew = crew
        self.ear: Ear | None = None
        """Hears answers while they come, for whoever watches."""
        self.budget = budget
        self._journal = journal
        self._concurrency = concurrency
        self._resumed = resumed
        self._desk = Desk(
            llm,
            journal,
            budget,
            policy,
            pace=pace or LocalPace(),
            check=self._check,
            sleep=self._sleep,
            resumed=resumed,
        )
        self._unsealed = False
        self._halt: Halt | JournalError | None = None
        self._halted = asyncio.Event()
        self._notes = 0
        self._progress = Progress(journal, budget)

    async def conduct(self, kind: Callable[[Run], Awaitable[T]]) -> T:
        """Run a kind to its end, keeping the lease alive meanwhile.

        Raises: Halt when the run stops early, JournalError when the journal is lost.
        """
        await self._hear()
        self._check()  # a wish from before this claim: nothing may be bought
        await self._ask_about_cut_off_calls()
        async with self._heartbeat():
            try:
                outcome = await kind(self)
                self._progress.end()
                return outcome
            finally:
                await self._journal.flush()  # what was bought before a halt is kept too

    async def _ask_about_cut_off_calls(self) -> None:
        if (
            self._resumed
            and self._desk.policy.on_uncertain == "ask"
            and (cut := (await self._journal.totals()).open_calls)
        ):
            calls = "1 call was" if cut == 1 else f"{cut} calls were"
            raise Undecided(f"{calls} cut off after sending and may have been paid for; say whether to send again")

    async def evaluate(
        self,
        candidates: Sequence[Candidate],
        cases: Sequence[Case],
        exam: Exam,
        repeats: int = 1,
        *,
        first: int = 0,
        stage: str = "",
        texts: bool = True,
    ) -> Report:
        """Answer and score every case by every candidate ``repeats`` times; returns when all samples are durable.

        first: number of the first of these repeats, where earlier ones were asked before.
        stage: what the progress display calls it. texts: False when the kind does not read the answers: they are recorded, and
        the report goes without them. A failed sample is data, not an exception.
        Looks at hidden splits are counted with the dataset. The sealed split is read once in a run.
        Raises: Halt, JournalError; SealBroken, an error in the kind, for a second reading of the sealed split.
        """
        wanted = pieces(candidates, cases, exam, range(first, first + repeats))
        self._desk.give_every_model_a_chance()
        comparison = await self._look(candidates, cases, exam.looked)
        self._progress.begin(stage, len(wanted))
        evaluation = Evaluation(self._desk, exam, self._progress.count, texts=texts)
        missing = await evaluation.recall(wanted)
        if self._crew and len(missing) >= self._crew.threshold:
            missing = await self._share(self._crew, evaluation, missing, exam)
        await self._buy(evaluation, missing)
        report = evaluation.report(wanted, comparison)
        await self._journal.flush()
        self._progress.show()
        return report

    async def _look(self, candidates: Sequence[Candidate], cases: Sequence[Case], looked: Mapping[str, int]) -> int:
        splits = {case.split for case in cases}
        if SEALED in splits:
            if self._unsealed:
                raise SealBroken("a kind may read the sealed test split only once in a run")
            self._unsealed = True
        for split in sorted((splits & HIDDEN) - looked.keys()):
            self._journal.look(split, [candidate.digest for candidate in candidates])
        if SEALED not in splits:
            return 0
        return looked.get(SEALED) or await self._journal.comparison(SEALED)

    async def _buy(self, evaluation: Evaluation, missing: Sequence[Piece]) -> None:
        queue, stopping = iter(missing), asyncio.Event()
        workers = [
            evaluation.work_off(queue, stopping, partial(self._wants, number))
            for number in range(min(quota(self._concurrency, self.others), len(missing)))
        ]
        await self._together(workers, stopping)

    def _wants(self, number: int) -> bool:
        return number < quota(self._concurrency, self.others)

    async def _share(self, crew: Crew, evaluation: Evaluation, missing: Sequence[Piece], exam: Exam) -> list[Piece]:
        """Let other workers help; returns what is still missing."""
        sharing = Sharing(crew, self.budget, evaluation, partial(self._buy_shard, evaluation))
        keeping = asyncio.create_task(keep_shards(crew, self._see_others))
        try:
            await sharing.go(missing, exam.digest, self._sleep)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            self.others = 0
        self.budget.recount(await self._journal.totals())
        left = await evaluation.recall(missing)
        self._desk.resumed |= bool(left)
        return left

    async def _buy_shard(self, evaluation: Evaluation, part: Sequence[Piece], begun: bool) -> None:
        if begun:  # by a worker that is gone: its calls are on record, under the keys that ours will have
            self._desk.resumed = True
            part = await evaluation.recall(part)
        await self._buy(evaluation, part)

    def _see_others(self, others: int) -> None:
        self.others = others

    async def step(self, key: str, work: Work, *, listener: Listener | None = None) -> Json:
        """Do any other effect once: its result is recorded and handed back on replay. key: unique in the run.

        listener: hears what the models say meanwhile. Steps may be done side by side.
        """
        if known := await self._journal.step(key):
            return known.value
        done: list[Step] = []

        async def body() -> None:
            done.append(Step(key, storable_json(await work(Asker(self._desk, key, listener=listener)))))

        await self._together([body()], asyncio.Event())
        self._journal.keep_step(done[0])
        await self._journal.flush()
        return done[0].value

    async def totals(self) -> Totals:
        """What the run has spent so far, whoever drove it; on a replay it may be more. Only to be read inside a step."""
        await self._journal.flush()
        return await self._journal.totals()

    def note(self, name: str, **data: Json) -> None:
        """Add to the run's history, in order; replay repeats the same notes and changes nothing."""
        self._notes += 1
        self._journal.note(self._notes, name, data)

    def listener(self, key: str) -> Listener | None:
        """What passes an answer on to watchers while it comes; None when nobody can watch. key: which answer it is."""
        return self.ear.listener(key) if self.ear else None

    def expect(self, pieces_in_all: int) -> None:
        """Tell the progress display how many pieces the whole run may take at most."""
        self._progress.expected = pieces_in_all

    def halt(self, why: Halt) -> None:
        """Stop for a cause outside the run, once the calls under way have ended."""
        self._halt = self._halt or why
        self._halted.set()

    def ceiling(self, model: ModelRef, messages: Sequence[Message]) -> Amount:
        """The most that one call can cost."""
        return self._desk.ceiling_of(Request(model, tuple(messages))).amount

    async def _together(self, workers: Sequence[Awaitable[None]], stopping: asyncio.Event) -> None:
        await side_by_side(workers, stopping, self._halted, GRACE_S)
        self._check()

    def _check(self) -> None:
        if self._halt:
            raise self._halt

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._halted.wait(), seconds)
        self._check()

    @contextlib.asynccontextmanager
    async def _heartbeat(self) -> AsyncIterator[None]:
        beating = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _beat(self) -> None:
        while not self._halt:
            await asyncio.sleep(HEARTBEAT_S)
            await self._hear()

    async def _hear(self) -> None:
        """Renew the lease; halt when it is lost or the user wishes so."""
        try:
            wish = await self._journal.heartbeat()
        except JournalError as lost:
            self._halt = lost
        else:
            if wish == "pause":
                self._halt = Paused("paused by the user")
            elif wish == "cancel":
                self._halt = Cancelled("cancelled by the user")
        if self._halt:
            self._halted.set()
