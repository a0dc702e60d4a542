"""One call on its way: its tries, waits and sendings of unknown fate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from app.core.budget import NOTHING, Amount, actual
from app.core.halt import Halt
from app.core.storable import storable, storable_json
from app.ports.journal import CallIntent, CallRecord, CallResult, JournalError
from app.ports.llm import CallError, Json, Permanent, RateLimited, Reply, Request, Transient

if TYPE_CHECKING:
    from app.core.desk import Desk, Policy


@dataclass(frozen=True, slots=True)
class Order:
    """One call as it is asked for. key: its content key in the run. body: the request as it is recorded.

    cache_key: what every run finds the reply by, "" when it is not to be shared.
    """

    key: str
    role: str
    request: Request
    body: Json
    cache_key: str


class Sending:
    """Sends an order as often as it takes. record: what earlier workers left of it."""

    def __init__(self, desk: Desk, order: Order, record: CallRecord | None) -> None:
        self._desk = desk
        self._order = order
        self._sent = self._sent_before = record.attempts if record else 0
        self.uncertain = record.uncertain + (record.result is None) if record else 0
        """Sendings so far that may have been paid for without an answer."""
        self._waited = self._throttled = 0.0
        self._limited = 0
        self._most = desk.ceiling_of(order.request)

    async def make(self) -> CallResult:
        """The result, settled in the journal; a failed one when this call failed for good.

        Raises: Halt, JournalError; Permanent, settled too, when the failure concerns every call to this model.
        """
        try:
            return self._settle(await self._persist())
        except CallError as error:
            failed = self._settle(CallResult(text=storable(str(error)), error=error.label))
            if isinstance(error, Permanent):
                raise
            return failed

    async def _persist(self) -> CallResult:
        """Send until it succeeds or the tries are used up. A call that succeeds at once is spared the cost of retrying."""
        try:
            return await self._try()
        except Transient as error:
            first = [error]

        async def attempt() -> CallResult:
            if first:
                raise first.pop()
            return await self._try()

        policy = self._desk.policy
        return await AsyncRetrying(
            sleep=self._wait,
            wait=lambda state: wait_before(policy, state),
            before_sleep=self._tell_wait,
            stop=stop_after_attempt(policy.sendings),
            retry=retry_if_exception_type(Transient),
            reraise=True,
        )(attempt)

    def intent(self) -> CallIntent:
        """What is on record before the next sending."""
        order, most = self._order, self._most
        return CallIntent(
            key=order.key,
            attempt=self._sent,
            role=order.role,
            model=order.request.model.name,
            request=order.body,
            reserved_usd=most.amount.usd if most.priced else None,
            uncertain=self.uncertain,
            cache_key=order.cache_key,
            lane=self._desk.lane(order.request.model).name,
        )

    def _settle(self, result: CallResult) -> CallResult:
        result = replace(
            result,
            retries=max(0, self._sent - self._sent_before - 1),
            wait_s=round(self._waited, 3),
            throttled_s=round(self._throttled, 3),
            limited=self._limited,
            uncertain=self.uncertain,
        )
        self._desk.journal.settle(self._order.key, result)
        return result

    async def _wait(self, seconds: float) -> None:
        self._waited += seconds
        await self._desk.sleep(seconds)

    def _tell_wait(self, state: RetryCallState) -> None:
        seconds = state.next_action.sleep if state.next_action else 0.0
        if seconds >= self._desk.policy.worth_telling_s and state.outcome:
            told = {"model": self._order.request.model.name, "seconds": round(seconds, 1)}
            self._desk.journal.tell("wait", told | {"why": str(state.outcome.exception())})

    async def _try(self) -> CallResult:
        desk, most = self._desk, self._most.amount
        desk.check()
        self._throttled += await desk.turn(self._order.request.model)
        await desk.budget.reserve(most)
        spent = NOTHING
        try:
            desk.check()
            self._sent += 1
            await desk.journal.intend(self.intent())
            self._check_again()
            spent = most  # a sending that is cut off may have been paid for
            result = result_of(await desk.complete(self._order.request))
            spent = actual(result, most)
            return result
        except CallError as error:
            spent = self._note_failure(error, most)
            raise
        finally:
            desk.budget.settle(most, spent)

    def _note_failure(self, error: CallError, most: Amount) -> Amount:
        self.uncertain += error.maybe_paid
        self._limited += isinstance(error, RateLimited)
        return most if error.maybe_paid else NOTHING

    def _check_again(self) -> None:
        """The run may have halted while the intent was written down; then it is on record that nothing was sent."""
        try:
            self._desk.check()
        except (Halt, JournalError) as halted:
            self._settle(CallResult(text=f"not sent: {halted}", error="unsent"))
            raise


def wait_before(policy: Policy, state: RetryCallState) -> float:
    """Seconds before the next try: what the provider asked for, else exponential with full jitter."""
    error = state.outcome.exception() if state.outcome else None
    jittered = wait_random_exponential(multiplier=policy.backoff_s, max=policy.longest_wait_s)(state)
    asked = error.retry_after if isinstance(error, Transient) and error.retry_after is not None else 0.0
    return min(policy.longest_wait_s, max(jittered, asked))


def result_of(reply: Reply) -> CallResult:
    """A reply as it is recorded: the first run must see what a replay will see."""
    return CallResult(
        text=storable(reply.text),
        finish_reason=reply.finish_reason,
        usage=reply.usage,
        cost_usd=reply.cost_usd,
        ttft_s=reply.ttft_s,
        ttlb_s=reply.ttlb_s,
        served_model=reply.served_model,
        raw=_recordable(reply.raw),
    )


def _recordable(raw: Json) -> Json:
    """The provider's body as it can be stored; None for one that cannot (NaN, nested without end), which costs no answer."""
    try:
        return storable_json(raw)
    except (ValueError, TypeError, RecursionError):
        return None
