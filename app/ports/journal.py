"""What one claimed run has bought, found and decided, so that it can be cut short anywhere and continue.

Writes are ordered: what is written later is never durable before what was written earlier. ``intend`` and ``flush`` return
when everything up to there is durable; the other writes return at once. Every write carries the claim's fencing number; once
another worker has claimed the run, the next awaited write raises ``LeaseLost``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from app.ports.llm import Json, Usage

Outcome: TypeAlias = Literal[
    "scored", "refused", "truncated", "parse_failed", "scoring_failed", "provider_error", "timed_out", "cancelled"
]
Wish: TypeAlias = Literal["", "pause", "cancel"]


class JournalError(Exception):
    """The journal cannot go on; the worker must stop buying at once."""


class LeaseLost(JournalError):
    """Another worker owns the run now, or the lease could not be renewed in time."""


class JournalUnavailable(JournalError):
    """The store does not answer; what was written before the last flush is safe."""


@dataclass(frozen=True, slots=True)
class CallIntent:
    """Written before each sending. key: content key of the call; attempt: 1 for the first sending of this call ever.

    uncertain: earlier sendings of this call that may have been paid for without an answer. cache_key: what every run finds
    the reply by, "" when it is not to be shared. lane: what shares a rate limit, model@region.
    """

    key: str
    attempt: int
    role: str
    model: str
    request: Json
    reserved_usd: float | None
    uncertain: int = 0
    cache_key: str = ""
    lane: str = ""


@dataclass(frozen=True, slots=True)
class CallResult:
    """How a call ended for good. ``error`` is "" for a reply, else the error's label; text then holds the error's message.

    retries: sendings beyond the first. wait_s: seconds spent waiting for a retry; throttled_s: for our own rate limit.
    limited: sendings that the provider refused for its rate limit. uncertain: sendings that may have been paid for without
    an answer. cached: the reply was bought earlier under the same cache key; usage, cost and times are those of that purchase.
    """

    text: str
    error: str = ""
    finish_reason: str = "unknown"
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    ttft_s: float | None = None
    ttlb_s: float = 0.0
    served_model: str = ""
    raw: Json = None
    retries: int = 0
    wait_s: float = 0.0
    uncertain: int = 0
    throttled_s: float = 0.0
    limited: int = 0
    cached: bool = False


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call as the journal holds it. result is None when it was sent and the fate of the last sending is unknown.

    uncertain: earlier sendings that may have been paid for without an answer (the last one not counted).
    """

    key: str
    attempts: int
    result: CallResult | None
    uncertain: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """One candidate's answer to one case, scored. The unit of every mean.

    key: content key, unique in the run. candidate: the candidate's digest. case: the case's id. repeat: from 0.
    split: where the case comes from (train, validation, test, or ""). score: in [0, 1] when outcome is scored or parse_failed.
    scores: the parts by scorer name. calls, tokens, cost_usd (None = unknown price), seconds: what it took.
    """

    key: str
    candidate: str
    case: str
    repeat: int
    split: str
    outcome: Outcome
    score: float | None
    feedback: str
    response: str
    scores: Json = None
    error: str = ""
    calls: int = 0
    tokens: int = 0
    cost_usd: float | None = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Totals:
    """What a run has spent so far.

    unpriced_calls: replies, and sendings without a known fate, whose price is unknown; they are in neither sum.
    uncertain_calls: sendings without a known fate; their cost is at most uncertain_usd. open_calls: those among them whose
    call has not gone on since. cached_calls: replies that cost nothing, since they had been bought before; buying them again
    would have cost saved_usd.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    unpriced_calls: int = 0
    uncertain_calls: int = 0
    uncertain_usd: float = 0.0
    open_calls: int = 0
    cached_calls: int = 0
    saved_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """The recorded result of one other effect."""

    key: str
    value: Json


class Journal(Protocol):
    """The record of one claimed run."""

    async def calls(self, keys: Sequence[str]) -> dict[str, CallRecord]:
        """Those of the calls that are on record, by key."""
        ...

    async def samples(self, keys: Sequence[str]) -> dict[str, Sample]:
        """Those of the samples that are on record, by key."""
        ...

    async def step(self, key: str) -> Step | None:
        """The step's result, or None when it has not finished yet."""
        ...

    async def totals(self) -> Totals:
        """Everything this run has spent, whoever drove it."""
        ...

    async def remembered(self, cache_keys: Sequence[str]) -> dict[str, CallResult]:
        """Replies that any run bought under these cache keys: the first one under each."""
        ...

    def reuse(self, intent: CallIntent, result: CallResult) -> None:
        """Record that a call took a remembered reply instead of being sent."""
        ...

    async def intend(self, intent: CallIntent) -> None:
        """Record that a call is about to be sent; durable on return. Raises LeaseLost, JournalUnavailable."""
        ...

    def settle(self, key: str, result: CallResult) -> None:
        """Record how a call ended. The last intent under the key must exist."""
        ...

    def keep(self, sample: Sample) -> None:
        """Record a finished sample. The first record under a key stands."""
        ...

    def keep_step(self, step: Step) -> None:
        """Record a finished step. The first record under a key stands."""
        ...

    def look(self, split: str, candidates: Sequence[str]) -> None:
        """Record that these candidates (by digest) are about to be measured on a hidden split of the run's dataset."""
        ...

    async def comparison(self, split: str) -> int:
        """Which comparison on that split the run's own is, from 1, over all runs on any version of its dataset.

        Comparisons are distinct sets of two or more candidates, in the order in which they were first looked at: to repeat one
        shows nothing new. Earlier looks are durable on return. Raises LeaseLost, JournalUnavailable.
        """
        ...

    def note(self, number: int, name: str, data: Json) -> None:
        """Record the run's number-th note (from 1). A number already on record is left as it is: replay repeats its notes."""
        ...

    def tell(self, name: str, data: Json) -> None:
        """Tell whoever watches now (progress, waits). Shown in order with the notes, not part of the history.

        A store may forget progress once newer progress is told.
        """
        ...

    async def flush(self) -> None:
        """Return when every earlier write is durable. Raises LeaseLost, JournalUnavailable."""
        ...

    async def heartbeat(self) -> Wish:
        """Renew the lease and hear what the user wishes. Raises LeaseLost, JournalUnavailable."""
        ...
