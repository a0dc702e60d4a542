"""A large evaluation is cut into shards that other workers help to buy; the driver keeps the decisions and buys too.

Content keys make it harmless to do a piece twice, so a shard whose worker is gone is simply taken by somebody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TypeAlias

from app.core import pictures
from app.core.budget import NOTHING, Amount, Budget, Limits
from app.core.evaluation import Evaluation, Piece
from app.core.halt import BudgetReached
from app.core.model import Candidate, Case, model_ref
from app.ports.crew import Crew, Ended
from app.ports.journal import JournalError
from app.ports.llm import Json

SMALLEST, LARGEST, SHARDS = 10, 200, 16
"""Pieces of one shard, and how many shards at least: seconds of work each, so that whoever comes or goes matters little."""
BEAT_S = 1.0
"""Seconds between two signs of life for the shards that a worker holds."""
LOOK_S = 0.2
"""Seconds between two looks at shards that only others are still at."""

Sleep: TypeAlias = Callable[[float], Awaitable[None]]
Buy: TypeAlias = Callable[[Sequence[Piece], bool], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Part:
    """What another worker has to know of a shard: some cases of one candidate, ``repeats`` times each.

    exam: its digest. limits: what may be spent on it.
    """

    candidate: Candidate
    cases: tuple[Case, ...]
    repeats: int
    exam: str
    limits: Limits

    @classmethod
    def of(cls, pieces: Sequence[Piece], exam: str, limits: Limits) -> Part:
        """The part that holds these pieces of one candidate, and maybe repeats that are on record already."""
        cases = tuple(dict.fromkeys(piece.case for piece in pieces))
        return cls(pieces[0].candidate, cases, 1 + max(piece.repeat for piece in pieces), exam, limits)

    def as_json(self) -> Json:
        """To be sent."""
        work = asdict(self)
        for case, sent in zip(self.cases, work["cases"], strict=True):
            del sent["picture"]
            if case.picture:
                sent["picture"] = pictures.as_json(case.picture)
        return work

    @classmethod
    def of_json(cls, work: Json) -> Part:
        """What was sent."""
        candidate = work["candidate"]
        return cls(
            Candidate(candidate["system_prompt"], candidate["output_prompt"], model_ref(candidate["model"])),
            tuple(Case(**case | {"picture": pictures.picture_of(case.get("picture"))}) for case in work["cases"]),
            work["repeats"],
            work["exam"],
            Limits(**work["limits"]),
        )


class Sharing:
    """One shared evaluation, as its driver sees it.

    buy: answers pieces in this process; True when another worker may have begun with them.
    """

    def __init__(self, crew: Crew, budget: Budget, evaluation: Evaluation, buy: Buy) -> None:
        self._crew = crew
        self._budget = budget
        self._evaluation = evaluation
        self._buy = buy
        self._lent: dict[int, Amount] = {}
        self._over: set[int] = set()

    async def go(self, missing: Sequence[Piece], exam: str, sleep: Sleep) -> None:
        """Work until every shard is over.

        What others leave missing (their part of the budget was used up, or their provider was down) is left to the caller, and
        so is counting anew what was spent. exam: its digest. Raises: Halt, JournalError.
        """
        parts = cut(missing, size=min(LARGEST, max(SMALLEST, len(missing) // SHARDS)))
        limits = [self._budget.share(len(pieces) / len(missing)) for pieces in parts]
        self._lent = {number: self._budget.lend(share) for number, share in enumerate(limits)}
        try:
            works = [Part.of(pieces, exam, share).as_json() for pieces, share in zip(parts, limits, strict=True)]
            await self._crew.offer(works)
            while len(self._over) < len(parts):
                await self._next(parts, sleep)
        finally:
            for number in list(self._lent):
                self._take_back(number)
            with suppress(JournalError):
                await self._crew.withdraw()

    async def _next(self, parts: Sequence[Sequence[Piece]], sleep: Sleep) -> None:
        """Do one shard, or wait for others; then take in what they have bought."""
        if shard := await self._crew.take():
            # Whoever is gone may have spent its part; that is known for sure when all is counted anew at the end.
            self._take_back(shard.number, self._lent.get(shard.number, NOTHING) if shard.again else NOTHING)
            with suppress(BudgetReached):  # others may still be at theirs; the caller meets the limit again
                await self._buy(parts[shard.number], shard.again)
            self._over.add(shard.number)
            await self._crew.finish(shard.number, Ended(None))
        else:
            await sleep(LOOK_S)
        for number, end in (await self._crew.ended()).items():
            if number not in self._over:
                self._over.add(number)
                self._take_back(number, Amount(**end.spent) if end.spent else NOTHING)
                await self._evaluation.recall(parts[number])

    def _take_back(self, number: int, spent: Amount = NOTHING) -> None:
        self._budget.take_back(self._lent.pop(number, NOTHING), spent)


def quota(concurrency: int, others: int) -> int:
    """Calls that one of several workers may have under way, so that all together keep to the run's concurrency."""
    return max(1, concurrency // (1 + others))


def cut(missing: Sequence[Piece], size: int) -> list[list[Piece]]:
    """The pieces in parts of one candidate each; all repeats of a case stay together."""
    parts: list[list[Piece]] = []
    for piece in missing:
        last = parts[-1] if parts else []
        fits = last and last[0].candidate == piece.candidate
        if not fits or (len(last) >= size and last[-1].case != piece.case):
            parts.append([])
        parts[-1].append(piece)
    return parts


async def keep_shards(crew: Crew, others: Callable[[int], None]) -> None:
    """Renew what this worker holds until cancelled, and say how many other workers are at the same run.

    Raises: LeaseLost when the shards were withdrawn.
    """
    while True:
        await asyncio.sleep(BEAT_S)
        others(await crew.beat())
