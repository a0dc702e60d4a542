"""Candidates x cases x repeats -> samples: what is on record is handed back, the rest is answered, scored and recorded."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from app.core.asking import Asker
from app.core.desk import Desk
from app.core.halt import BudgetReached, ProviderDown
from app.core.model import Candidate, Case, Exam, Response, Score, Unscored, digest
from app.ports.journal import Outcome, Sample

LOOKUP = 500
"""Samples looked up in the journal at once."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One sample to come. key: content key; the same work in another evaluation of the run has the same key."""

    candidate: Candidate
    case: Case
    repeat: int
    key: str


class Report:
    """The samples of one evaluation, in the order of candidates, cases and repeats, whatever order they arrived in.

    comparison: which one this is, from 1, of all that runs have made on the dataset's sealed split; 0 for another split.
    """

    def __init__(self, samples: Sequence[Sample], comparison: int = 0) -> None:
        self.samples = tuple(samples)
        self.comparison = comparison

    def of(self, candidate: Candidate) -> tuple[Sample, ...]:
        """One candidate's samples, in case order."""
        return tuple(s for s in self.samples if s.candidate == candidate.digest)

    def plus(self, other: Report) -> Report:
        """This report continued by another one."""
        return Report(self.samples + other.samples, self.comparison)


def pieces(candidates: Sequence[Candidate], cases: Sequence[Case], exam: Exam, repeats: Iterable[int]) -> list[Piece]:
    """Every piece of the product, in order. The split is no part of the key: the same case has one answer in the run."""
    return [
        Piece(candidate, case, repeat, digest([candidate.digest, case.digest, exam.digest, repeat]))
        for candidate in candidates
        for case in cases
        for repeat in repeats
    ]


class Evaluation:
    """One evaluation under way.

    Failed samples are held back until the next one that got an answer: a provider that goes down must not leave wrong
    "failed" samples behind, since a recorded sample is never asked again.

    texts: whether the report holds answers and remarks; without them its size does not depend on their length.
    """

    def __init__(self, desk: Desk, exam: Exam, done: Callable[[Sample, bool], None], *, texts: bool = True) -> None:
        self._texts = texts
        self._desk = desk
        self._exam = exam
        self._done = done
        self._held: list[Sample] = []
        self._alive = False
        self._found: dict[str, Sample] = {}

    async def recall(self, wanted: Sequence[Piece]) -> list[Piece]:
        """Take what the journal holds; returns the missing pieces in order."""
        unknown = [p.key for p in wanted if p.key not in self._found]
        for start in range(0, len(unknown), LOOKUP):
            for sample in (await self._desk.journal.samples(unknown[start : start + LOOKUP])).values():
                self._alive = True
                self._remember(sample)
                self._done(sample, False)
        return [p for p in wanted if p.key not in self._found]

    async def work_off(self, queue: Iterator[Piece], stopping: asyncio.Event, wanted: Callable[[], bool]) -> None:
        """One of several workers over the same queue: answer pieces until it is empty, somebody stops, or it is not wanted."""
        while wanted() and not stopping.is_set():
            piece = next(queue, None)
            if piece is None:
                return
            self._take(await self._examine(piece))

    def report(self, wanted: Sequence[Piece], comparison: int) -> Report:
        """Everything that was wanted.

        Raises: ProviderDown when not one piece got an answer and a score.
        """
        if self._held and not self._alive:
            last = self._held[-1]
            why = f"none of {len(self._held)} pieces got an answer and a score; the last error: {last.error}"
            raise ProviderDown(why, by_itself=True)
        self._keep_held()
        return Report([self._found[p.key] for p in wanted], comparison)

    def _take(self, sample: Sample) -> None:
        self._remember(sample)
        self._done(sample, True)
        if sample.calls == 0 and sample.outcome == "provider_error":  # nobody was asked
            self._desk.journal.keep(sample)
            return
        self._held.append(sample)
        # What took no call (a recorded answer) says nothing about the provider.
        if sample.calls == 0 or sample.outcome not in ("provider_error", "timed_out", "scoring_failed"):
            self._alive = True
            self._keep_held()

    def _remember(self, sample: Sample) -> None:
        slim = sample if self._texts else replace(sample, response="", feedback="", scores=None)
        self._found[sample.key] = slim

    def _keep_held(self) -> None:
        for sample in self._held:
            self._desk.journal.keep(sample)
        self._held.clear()

    async def _examine(self, piece: Piece) -> Sample:
        ask = Asker(self._desk, piece.key, piece.repeat)
        response = await self._exam.responder.respond(piece.candidate, piece.case, ask)
        try:
            score = await self._score(piece, response, ask)
        except Unscored as failure:
            score, response = None, replace(response, outcome=failure.outcome, error=str(failure))
        outcome: Outcome = "parse_failed" if score and not score.parsed else response.outcome
        return Sample(
            key=piece.key,
            candidate=piece.candidate.digest,
            case=piece.case.id,
            repeat=piece.repeat,
            split=piece.case.split,
            outcome=outcome,
            score=score.value if score else None,
            feedback=score.feedback if score else "",
            response=response.text,
            scores=dict(score.parts) if score else None,
            error=response.error,
            calls=ask.calls,
            tokens=ask.tokens,
            cost_usd=ask.cost_usd,
            seconds=round(ask.seconds, 4),
        )

    async def _score(self, piece: Piece, response: Response, ask: Asker) -> Score | None:
        if response.outcome != "scored":
            return None
        score = await self._exam.scorer.score(piece.case, response, ask)
        if not (math.isfinite(score.value) and 0.0 <= score.value <= 1.0):
            raise Unscored("scoring_failed", f"the scorer gave {score.value}; a score must be in [0, 1]")
        return score


async def side_by_side(
    workers: Sequence[Awaitable[None]], stopping: asyncio.Event, halted: asyncio.Event, grace_s: float
) -> None:
    """Run workers together; when one fails or the run halts, let calls under way end, then raise the first failure.

    After a halt, what is still under way after ``grace_s`` seconds is cut off (its fate is then uncertain).
    """
    tasks = [asyncio.ensure_future(w) for w in workers]
    bell = asyncio.ensure_future(halted.wait())
    try:
        pending = set(tasks)
        while pending and not bell.done():
            done, _ = await asyncio.wait({*pending, bell}, return_when=asyncio.FIRST_COMPLETED)
            pending -= done
            if any(t.exception() for t in done if t is not bell):
                stopping.set()
        if pending:
            stopping.set()
            await asyncio.wait(pending, timeout=grace_s)
    finally:
        for task in (*tasks, bell):
            task.cancel()
        await asyncio.gather(*tasks, bell, return_exceptions=True)
    failures = [e for t in tasks if not t.cancelled() and (e := t.exception())]
    if failures:
        # The budget comes last: a provider that is down or a lost lease says more about the run.
        raise min(failures, key=lambda e: isinstance(e, BudgetReached))
