"""A journal that dies at its n-th write, for proving that a run can be cut short anywhere."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from app.ports.journal import CallIntent, CallRecord, CallResult, Sample, Step, Totals, Wish
from app.ports.llm import Json
from app.store.memory import MemoryJournal


class Crash(BaseException):
    """The process is gone."""


class CrashingJournal:
    """Writes through to a memory journal until write number ``at``, then is dead like its process.

    flushing: whether the writes before it had become durable, or were lost with the process's buffer.
    """

    def __init__(self, inner: MemoryJournal, at: int, *, flushing: bool) -> None:
        self.inner = inner
        self.writes = 0
        self._at = at
        self._flushing = flushing

    def _count(self) -> None:
        self.writes += 1
        if self.writes == self._at and self._flushing:
            with contextlib.suppress(StopIteration):
                self.inner.flush().send(None)  # never waits in memory
        self._live()

    def _live(self) -> None:
        if self.writes >= self._at:
            raise Crash

    async def calls(self, keys: Sequence[str]) -> dict[str, CallRecord]:
        self._live()
        return await self.inner.calls(keys)

    async def samples(self, keys: Sequence[str]) -> dict[str, Sample]:
        self._live()
        return await self.inner.samples(keys)

    async def step(self, key: str) -> Step | None:
        self._live()
        return await self.inner.step(key)

    async def totals(self) -> Totals:
        return await self.inner.totals()

    async def remembered(self, cache_keys: Sequence[str]) -> dict[str, CallResult]:
        self._live()
        return await self.inner.remembered(cache_keys)

    def reuse(self, intent: CallIntent, result: CallResult) -> None:
        self._count()
        self.inner.reuse(intent, result)

    async def intend(self, intent: CallIntent) -> None:
        self._count()
        await self.inner.intend(intent)

    def settle(self, key: str, result: CallResult) -> None:
        self._count()
        self.inner.settle(key, result)

    def keep(self, sample: Sample) -> None:
        self._count()
        self.inner.keep(sample)

    def keep_step(self, step: Step) -> None:
        self._count()
        self.inner.keep_step(step)

    def look(self, split: str, candidates: Sequence[str]) -> None:
        self._count()
        self.inner.look(split, candidates)

    async def comparison(self, split: str) -> int:
        self._live()
        return await self.inner.comparison(split)

    def note(self, number: int, name: str, data: Json) -> None:
        self._count()
        self.inner.note(number, name, data)

    def tell(self, name: str, data: Json) -> None:
        if self.writes < self._at:
            self.inner.tell(name, data)

    async def flush(self) -> None:
        self._live()
        await self.inner.flush()

    async def heartbeat(self) -> Wish:
        return await self.inner.heartbeat()
