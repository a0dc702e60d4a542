"""A journal in memory that keeps the whole contract; what was not flushed is lost with the journal, as in a crash.

MemoryRecord is what is durable of one run; each worker gets its journal from ``record.claim()``, which fences the one
before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias

from app.core.storable import storable, storable_json
from app.ports.journal import (
    CallIntent,
    CallRecord,
    CallResult,
    JournalError,
    JournalUnavailable,
    LeaseLost,
    Sample,
    Step,
    Totals,
    Wish,
)
from app.ports.llm import Json


class Told(NamedTuple):
    """One event. number: its place in the run's history, or None when it was only told to watchers."""

    number: int | None
    name: str
    data: Json


class Looked(NamedTuple):
    """A candidate measured on a hidden split."""

    split: str
    candidate: str


class Settled(NamedTuple):
    """The end of a call."""

    key: str
    result: CallResult


MemoryLibrary: TypeAlias = dict[str, CallResult]
Write: TypeAlias = CallIntent | Settled | Sample | Step | Told | Looked


@dataclass
class MemoryCall:
    """A call as it is kept: the newest intent, and the result once it is known."""

    intent: CallIntent
    result: CallResult | None = None

    @property
    def known_uncertain(self) -> int:
        """Sendings that may have been paid for without an answer, without the one whose result is awaited."""
        return self.intent.uncertain if self.result is None else self.result.uncertain

    @property
    def uncertain(self) -> int:
        """The same with it."""
        return self.known_uncertain + (self.result is None)


@dataclass
class MemoryRecord:
    """What is durable of one run. Set ``wish`` to be the user, ``away`` to take the store away."""

    calls: dict[str, MemoryCall] = field(default_factory=dict)
    samples: dict[str, Sample] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    events: list[Told] = field(default_factory=list)
    looks: list[Looked] = field(default_factory=list)
    compared_before: int = 0
    """Comparisons that other runs have made on the same hidden splits."""
    library: MemoryLibrary = field(default_factory=dict)
    """Replies by cache key, shared by the records of several runs."""
    fence: int = 0
    wish: Wish = ""
    away: bool = False

    def claim(self) -> MemoryJournal:
        """A journal for the next worker; all earlier ones have lost their lease."""
        self.fence += 1
        return MemoryJournal(self, self.fence)

    @property
    def history(self) -> list[Told]:
        """The notes in their order, without what was only told."""
        return [event for event in self.events if event.number is not None]

    def apply(self, write: Write) -> None:
        """Make one write durable."""
        match write:
            case CallIntent():
                self.calls[write.key] = MemoryCall(write)
            case Settled():
                if write.key not in self.calls:
                    raise JournalError(f"call {write.key} ended without having been intended")
                self.calls[write.key].result = write.result
                cache_key = self.calls[write.key].intent.cache_key
                if cache_key and not write.result.error and not write.result.cached:
                    self.library.setdefault(cache_key, write.result)
            case Sample():
                self.samples.setdefault(write.key, write)
            case Step():
                self.steps.setdefault(write.key, write)
            case Looked():
                if write not in self.looks:
                    self.looks.append(write)
            case Told():
                if write.number is None or all(event.number != write.number for event in self.events):
                    self.events.append(write)

    def totals(self) -> Totals:
        """The sum over all calls."""
        settled = [call.result for call in self.calls.values() if call.result]
        results = [result for result in settled if not result.cached]
        cached = [result for result in settled if result.cached]
        replies = [result for result in results if not result.error]
        doubts = [(call.uncertain, call.intent.reserved_usd or 0.0) for call in self.calls.values()]
        return Totals(
            calls=len(replies),
            prompt_tokens=sum(result.usage.prompt_tokens for result in results),
            completion_tokens=sum(result.usage.completion_tokens for result in results),
            cost_usd=sum(result.cost_usd or 0.0 for result in results),
            unpriced_calls=sum(result.cost_usd is None for result in replies)
            + sum(call.uncertain for call in self.calls.values() if call.intent.reserved_usd is None),
            uncertain_calls=sum(count for count, _ in doubts),
            uncertain_usd=sum(count * usd for count, usd in doubts),
            open_calls=len(self.calls) - len(settled),
            cached_calls=len(cached),
            saved_usd=sum(result.cost_usd or 0.0 for result in cached),
        )


class MemoryJournal:
    """The journal of one claim on a MemoryRecord."""

    def __init__(self, record: MemoryRecord, fence: int) -> None:
        self._record = record
        self._fence = fence
        self._pending: list[Write] = []

    async def calls(self, keys: Sequence[str]) -> dict[str, CallRecord]:
        """See the port."""
        await self.flush()
        found = {key: self._record.calls[key] for key in keys if key in self._record.calls}
        return {
            key: CallRecord(key, call.intent.attempt, call.result, call.known_uncertain) for key, call in found.items()
        }

    async def samples(self, keys: Sequence[str]) -> dict[str, Sample]:
        """See the port."""
        await self.flush()
        return {key: self._record.samples[key] for key in keys if key in self._record.samples}

    async def step(self, key: str) -> Step | None:
        """See the port."""
        await self.flush()
        return self._record.steps.get(key)

    async def totals(self) -> Totals:
        """See the port."""
        await self.flush()
        return self._record.totals()

    async def remembered(self, cache_keys: Sequence[str]) -> dict[str, CallResult]:
        """See the port."""
        await self.flush()
        return {key: self._record.library[key] for key in cache_keys if key in self._record.library}

    def reuse(self, intent: CallIntent, result: CallResult) -> None:
        """See the port."""
        self._pending.append(replace(intent, request=storable_json(intent.request)))
        self.settle(intent.key, result)

    async def intend(self, intent: CallIntent) -> None:
        """See the port."""
        self._pending.append(replace(intent, request=storable_json(intent.request)))
        await self.flush()

    def settle(self, key: str, result: CallResult) -> None:
        """See the port."""
        clean = replace(result, text=storable(result.text), raw=storable_json(result.raw))
        self._pending.append(Settled(key, clean))

    def keep(self, sample: Sample) -> None:
        """See the port."""
        self._pending.append(
            replace(
                sample,
                feedback=storable(sample.feedback),
                response=storable(sample.response),
                scores=storable_json(sample.scores),
                error=storable(sample.error),
            )
        )

    def keep_step(self, step: Step) -> None:
        """See the port."""
        self._pending.append(Step(step.key, storable_json(step.value)))

    def look(self, split: str, candidates: Sequence[str]) -> None:
        """See the port."""
        self._pending += [Looked(split, candidate) for candidate in candidates]

    async def comparison(self, split: str) -> int:  # noqa: ARG002 - the port's signature
        """See the port."""
        await self.flush()
        return self._record.compared_before + 1

    def note(self, number: int, name: str, data: Json) -> None:
        """See the port."""
        self._pending.append(Told(number, name, storable_json(data)))

    def tell(self, name: str, data: Json) -> None:
        """See the port."""
        self._pending.append(Told(None, name, storable_json(data)))

    async def flush(self) -> None:
        """See the port."""
        self._check()
        while self._pending:
            self._record.apply(self._pending.pop(0))

    async def heartbeat(self) -> Wish:
        """See the port."""
        self._check()
        return self._record.wish

    def _check(self) -> None:
        if self._record.away:
            raise JournalUnavailable("the store does not answer")
        if self._record.fence != self._fence:
            raise LeaseLost("another worker has claimed this run")
