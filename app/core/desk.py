"""The call desk: every model call is looked up, budgeted, written down, sent, retried and settled through here."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias
from weakref import WeakValueDictionary

from app.core.budget import Amount, Budget, ceiling
from app.core.halt import ProviderDown
from app.core.model import digest
from app.core.sending import Order, Sending
from app.ports.journal import CallRecord, CallResult, Journal
from app.ports.llm import LLM, ModelRef, Permanent, Reply, Request, TimedOut
from app.ports.pace import Lane, Pace, place

OnUncertain: TypeAlias = Literal["repeat", "ask", "skip"]

UNKNOWN_FATE = "unknown_fate"
"""The error of a call that was cut off after sending, and that nobody wants to send again."""
GIVEN_UP = "given_up"
"""The error of a call that is not sent, because its model cannot be reached and others are to go on."""
INTERRUPTED = "interrupted"
"""The error of a call that was cut off after sending, and that is to be sent again."""
FINAL_ERRORS = frozenset({"rejected", "content_filtered", UNKNOWN_FATE})
"""Failures that asking again would repeat; every other recorded failure is asked again when a run is resumed."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How calls are made. deadline_s: per sending. sendings: tries per call. backoff_s, longest_wait_s: between tries.

    circuit: calls to one model in a row that may fail for good before its provider counts as down. unproven: the provider
    was down a moment ago, so one call goes ahead alone and a single failure is enough. on_uncertain: what becomes of a call
    that was cut off after sending. draws: the seed that names the replies of models that sample, for the cache; None for no
    cache. lanes: rate limits by place (see app.ports.pace) or model name.
    worth_telling_s: shorter waits between tries are not shown to watchers.
    apart: rivals are compared, so a primary model that cannot be reached fails alone and does not pause the run.
    """

    deadline_s: float = 60.0
    sendings: int = 5
    backoff_s: float = 0.5
    longest_wait_s: float = 60.0
    circuit: int = 8
    unproven: bool = False
    default_output_tokens: int = 1024
    on_uncertain: OnUncertain = "repeat"
    draws: int | None = None
    lanes: Mapping[str, Lane] = field(default_factory=dict)
    worth_telling_s: float = 1.0
    apart: bool = False


@dataclass(frozen=True, slots=True)
class CallCeiling:
    """The most that a sending may cost, and whether its price is known."""

    amount: Amount
    priced: bool


class Desk:
    """Where one run buys its calls.

    check: called before every sending; raises what halts the run. sleep: waits, but wakes up when the run halts.
    resumed: False when the journal is known to be empty, which spares the look-ups.
    """

    def __init__(
        self,
        llm: LLM,
        journal: Journal,
        budget: Budget,
        policy: Policy,
        *,
        pace: Pace,
        check: Callable[[], None],
        sleep: Callable[[float], Awaitable[None]],
        resumed: bool,
    ) -> None:
        self.journal = journal
        self.budget = budget
        self.policy = policy
        self.check = check
        """Raises what halts the run, if anything does."""
        self.sleep = sleep
        """Waits so many seconds; raises at once when the run halts."""
        self.resumed = resumed
        """Whether the journal may hold calls that this desk did not make."""
        self._llm = llm
        self._pace = pace
        self._failures: Counter[str] = Counter()
        self._unproven = policy.unproven
        self._probe = asyncio.Lock()
        self._down: ProviderDown | None = None
        self._given_up: dict[str, str] = {}
        self._under_way: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def give_every_model_a_chance(self) -> None:
        """Models that could not be reached are asked again from now on."""
        self._given_up.clear()

    def cache_key(self, content: str, model: ModelRef, repeat: int, key: str) -> str:
        """What every run finds the reply by; "" when this run shares none.

        A model at temperature 0 answers a request the same way every time, so the content and the repeat name the reply. Any
        other model draws one of many: the run's seed and the call's place in the run (its key) name the draw.
        """
        draws = self.policy.draws
        if draws is None:
            return ""
        return digest([content, repeat] if model.params.get("temperature") == 0 else [content, draws, key])

    async def buy(self, order: Order) -> CallResult:
        """The recorded result of this call, a remembered reply, or a new one.

        Returns a failed result (``error`` set) when this one call failed for good.
        Raises: Halt, JournalError; ProviderDown when the failure concerns every further call too.
        """
        record = (await self.journal.calls([order.key])).get(order.key) if self.resumed else None
        if record and record.result and (not record.result.error or record.result.error in FINAL_ERRORS):
            return record.result
        if record and not record.result and self.policy.on_uncertain == "skip":
            return self._leave_out(order, record)
        if not order.cache_key:
            return await self._send(order, record)
        # Of equal requests under way at once, only the first is bought.
        lock = self._under_way.setdefault(order.cache_key, asyncio.Lock())
        async with lock:
            return await self._remember(order, record) or await self._send(order, record)

    def _leave_out(self, order: Order, record: CallRecord) -> CallResult:
        why = "the worker was cut off after sending it; it may have been paid for, and is not sent again"
        result = CallResult(why, error=UNKNOWN_FATE, uncertain=record.uncertain + 1)
        self.journal.settle(order.key, result)
        return result

    async def _remember(self, order: Order, record: CallRecord | None) -> CallResult | None:
        found = (await self.journal.remembered([order.cache_key])).get(order.cache_key)
        if not found:
            return None
        self.check()
        sending = Sending(self, order, record)
        result = replace(
            found, cached=True, raw=None, retries=0, wait_s=0.0, throttled_s=0.0, limited=0, uncertain=sending.uncertain
        )
        self.journal.reuse(sending.intent(), result)
        return result

    async def _send(self, order: Order, record: CallRecord | None) -> CallResult:
        if self.policy.apart and order.role == "primary":
            return await self._send_apart(order, record)
        if self._unproven:
            async with self._probe:
                if self._down:
                    raise ProviderDown(str(self._down), by_itself=self._down.by_itself)
                if self._unproven:
                    return await self._sent(order, record)
        return await self._sent(order, record)

    async def _send_apart(self, order: Order, record: CallRecord | None) -> CallResult:
        """A model that is down is given up, and its further calls fail unsent; whether all are down, the evaluation sees."""
        place = place_of(order.request.model)
        if why := self._given_up.get(place):
            return CallResult(why, error=GIVEN_UP)
        try:
            return await self._sent(order, record)
        except ProviderDown as down:
            self._given_up[place] = str(down)
            return CallResult(str(down), error=GIVEN_UP)

    async def _sent(self, order: Order, record: CallRecord | None) -> CallResult:
        model, place = order.request.model.name, place_of(order.request.model)
        try:
            result = await Sending(self, order, record).make()
        except Permanent as error:
            await self.journal.flush()
            raise self._is_down(order, f"{model}: {error}", by_itself=False) from error
        if not result.error or result.error in FINAL_ERRORS:
            self._failures[place], self._unproven = 0, False
            return result
        self._failures[place] += 1
        failed = self._failures[place]
        if self._unproven or failed >= self.policy.circuit:
            times = f"{failed} calls in a row" if failed > 1 else "the first call after an outage"
            raise self._is_down(order, f"{model}: {times} failed; the last: {result.text}", by_itself=True)
        return result

    def _is_down(self, order: Order, why: str, *, by_itself: bool) -> ProviderDown:
        down = ProviderDown(why, by_itself=by_itself)
        if not (self.policy.apart and order.role == "primary"):
            self._down = down  # whoever waits for the first call after an outage need not send its own
        return down

    async def complete(self, request: Request) -> Reply:
        """One sending."""
        deadline = self.policy.deadline_s
        if request.listener:
            request.listener.begin()
        try:
            async with asyncio.timeout(deadline + 5):
                return await self._llm.complete(request, deadline_s=deadline)
        except TimeoutError:
            # An adapter must keep its own deadline; this one only guards against an adapter that does not.
            raise TimedOut(f"no answer within {deadline:g} s", maybe_paid=True) from None

    def lane(self, model: ModelRef) -> Lane:
        """What the model shares its rate limit with."""
        lanes = self.policy.lanes
        return lanes.get(place(model)) or lanes.get(model.name) or Lane(model.name, None)

    async def turn(self, model: ModelRef) -> float:
        """Wait until the model's rate limit lets the next sending go; returns the seconds waited."""
        lane = self.lane(model)
        if lane.rpm is None:
            return 0.0
        seconds = await self._pace.turn(lane)
        if seconds > 0:
            await self.sleep(seconds)
        return seconds

    def ceiling_of(self, request: Request) -> CallCeiling:
        """What one sending may cost at most, and whether its price is known."""
        price = self._llm.price(request.model)
        return CallCeiling(ceiling(request, price, self.policy.default_output_tokens), price is not None)


def place_of(model: ModelRef) -> str:
    """What is down together: the same model at the same address."""
    return "\0".join((model.name, model.api_base or "", model.region))
