"""The call desk: every model call is looked up, budgeted, written down, sent, retried and settled here, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from app.core.budget import NOTHING, Amount, Budget, actual, ceiling
from app.core.halt import Halt, ProviderDown
from app.core.model import digest
from app.core.storable import storable, storable_json
from app.ports.journal import CallIntent, CallRecord, CallResult, Journal, JournalError
from app.ports.llm import LLM, CallError, Json, Message, ModelRef, Permanent, Reply, Request, TimedOut, Transient

FINAL_ERRORS = frozenset({"rejected", "content_filtered"})
"""Failures that asking again would repeat; every other recorded failure is asked again when a run is resumed."""

WORTH_TELLING_S = 1.0
"""Shorter waits between tries are not shown to watchers."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How calls are made. deadline_s: per sending. sendings: tries per call. backoff_s, longest_wait_s: between tries.

    circuit: calls in a row that may fail for good before the provider counts as down.
    """

    deadline_s: float = 60.0
    sendings: int = 5
    backoff_s: float = 0.5
    longest_wait_s: float = 60.0
    circuit: int = 8
    default_output_tokens: int = 1024


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
        check: Callable[[], None],
        sleep: Callable[[float], Awaitable[None]],
        resumed: bool,
    ) -> None:
        self.journal = journal
        self.budget = budget
        self.policy = policy
        self._llm = llm
        self._check = check
        self._sleep = sleep
        self._resumed = resumed
        self._failures = 0

    async def buy(self, key: str, role: str, request: Request) -> CallResult:
        """The recorded result of this call, or a new one.

        Returns a failed result (``error`` set) when this one call failed for good.
        Raises: Halt, JournalError; ProviderDown when the failure concerns every further call too.
        """
        record = (await self.journal.calls([key])).get(key) if self._resumed else None
        if record and record.result and (not record.result.error or record.result.error in FINAL_ERRORS):
            return record.result
        result = await _Call(self, key, role, request, record).make()
        self._watch_circuit(result, request.model)
        return result

    def _watch_circuit(self, result: CallResult, model: ModelRef) -> None:
        if not result.error or result.error in FINAL_ERRORS:
            self._failures = 0
            return
        self._failures += 1
        if self._failures >= self.policy.circuit:
            raise ProviderDown(f"{model.name}: {self._failures} calls in a row failed; the last: {result.text}")

    def wait_before(self, state: RetryCallState) -> float:
        """Seconds before the next try: what the provider asked for, else exponential with full jitter."""
        error = state.outcome.exception() if state.outcome else None
        jittered = wait_random_exponential(multiplier=self.policy.backoff_s, max=self.policy.longest_wait_s)(state)
        asked = error.retry_after if isinstance(error, Transient) and error.retry_after is not None else 0.0
        return min(self.policy.longest_wait_s, max(jittered, asked))

    async def send(self, request: Request) -> Reply:
        """One sending, once the run may still buy."""
        deadline = self.policy.deadline_s
        try:
            async with asyncio.timeout(deadline + 5):
                return await self._llm.complete(request, deadline_s=deadline)
        except TimeoutError:
            # An adapter must keep its own deadline; this one only guards against an adapter that does not.
            raise TimedOut(f"no answer within {deadline:g} s", maybe_paid=True) from None

    async def pause(self, seconds: float) -> None:
        """Wait between tries; raises at once when the run halts."""
        await self._sleep(seconds)

    def check(self) -> None:
        """Raise what halts the run, if anything does."""
        self._check()

    def ceiling_of(self, request: Request) -> CallCeiling:
        """What one sending may cost at most, and whether its price is known."""
        price = self._llm.price(request.model)
        return CallCeiling(ceiling(request, price, self.policy.default_output_tokens), price is not None)


@dataclass(frozen=True, slots=True)
class CallCeiling:
    """The most that a sending may cost."""

    amount: Amount
    priced: bool


class _Call:
    """One call on its way: its tries, waits and sendings of unknown fate."""

    def __init__(self, desk: Desk, key: str, role: str, request: Request, record: CallRecord | None) -> None:
        self._desk = desk
        self._key = key
        self._role = role
        self._request = request
        self._sent = self._sent_before = record.attempts if record else 0
        self._uncertain = record.uncertain + (record.result is None) if record else 0
        self._waited = 0.0

    async def make(self) -> CallResult:
        tries = AsyncRetrying(
            sleep=self._wait,
            wait=self._desk.wait_before,
            before_sleep=self._tell_wait,
            stop=stop_after_attempt(self._desk.policy.sendings),
            retry=retry_if_exception_type(Transient),
            reraise=True,
        )
        try:
            return self._settle(await tries(self._try))
        except Permanent as error:
            self._settle(CallResult(text=storable(str(error)), error=error.label))
            await self._desk.journal.flush()
            raise ProviderDown(f"{self._request.model.name}: {error}") from error
        except CallError as error:
            return self._settle(CallResult(text=storable(str(error)), error=error.label))

    def _settle(self, result: CallResult) -> CallResult:
        retries = max(0, self._sent - self._sent_before - 1)
        result = replace(result, retries=retries, wait_s=round(self._waited, 3), uncertain=self._uncertain)
        self._desk.journal.settle(self._key, result)
        return result

    def _tell_wait(self, state: RetryCallState) -> None:
        seconds = state.next_action.sleep if state.next_action else 0.0
        if seconds >= WORTH_TELLING_S and state.outcome:
            why = str(state.outcome.exception())
            self._desk.journal.tell(
                "wait", {"model": self._request.model.name, "seconds": round(seconds, 1), "why": why}
            )

    async def _wait(self, seconds: float) -> None:
        self._waited += seconds
        await self._desk.pause(seconds)

    async def _try(self) -> CallResult:
        desk = self._desk
        most = desk.ceiling_of(self._request)
        desk.check()
        await desk.budget.reserve(most.amount)
        spent = NOTHING
        try:
            desk.check()
            self._sent += 1
            await desk.journal.intend(self._intent(most))
            self._check_again()
            spent = most.amount  # a sending that is cut off may have been paid for
            reply = await desk.send(self._request)
            result = _result(reply)
            spent = actual(result, most.amount)
            return result
        except CallError as error:
            self._uncertain += error.maybe_paid
            spent = most.amount if error.maybe_paid else NOTHING
            raise
        finally:
            await desk.budget.settle(most.amount, spent)

    def _check_again(self) -> None:
        """The run may have halted while the intent was written down; then it is on record that nothing was sent."""
        try:
            self._desk.check()
        except (Halt, JournalError) as halted:
            self._settle(CallResult(text=f"not sent: {halted}", error="unsent"))
            raise

    def _intent(self, most: CallCeiling) -> CallIntent:
        request = self._request
        return CallIntent(
            key=self._key,
            attempt=self._sent,
            role=self._role,
            model=request.model.name,
            request=as_json(request),
            reserved_usd=most.amount.usd if most.priced else None,
            uncertain=self._uncertain,
        )


def as_json(request: Request) -> Json:
    """A request as it is recorded, and as its content key is made."""
    return {
        "model": request.model.name,
        "params": dict(request.model.params),
        "api_base": request.model.api_base,
        "messages": [asdict(m) for m in request.messages],
        "response_schema": request.response_schema,
    }


def _result(reply: Reply) -> CallResult:
    return CallResult(
        text=storable(reply.text),  # the first run must see what a replay will see
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


class Asker:
    """The ``ask`` of one piece of work: gives each call its content key and adds up what the piece took.

    A key is the piece's key, the call's position in the piece, and the digest of the request.
    """

    def __init__(self, desk: Desk, scope: str) -> None:
        self._desk = desk
        self._scope = scope
        self.calls = 0
        self.tokens = 0
        self.cost_usd: float | None = 0.0
        self.seconds = 0.0

    async def __call__(
        self, role: str, model: ModelRef, messages: Sequence[Message], response_schema: Json = None
    ) -> CallResult:
        """See app.core.model.Ask."""
        request = Request(model, tuple(messages), response_schema)
        key = f"{self._scope}/{self.calls}:{digest(as_json(request))[:16]}"
        self.calls += 1
        result = await self._desk.buy(key, role, request)
        self.tokens += result.usage.prompt_tokens + result.usage.completion_tokens
        self.seconds += result.ttlb_s
        if result.cost_usd is None and not result.error:
            self.cost_usd = None
        elif self.cost_usd is not None:
            self.cost_usd += result.cost_usd or 0.0
        return result
