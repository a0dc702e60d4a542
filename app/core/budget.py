"""Nothing is bought beyond a limit: what a call may cost is reserved before it is sent and settled after it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.core.halt import BudgetReached
from app.core.tokens import most_image_tokens
from app.ports.journal import CallResult, Totals
from app.ports.llm import Price, Request


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a run may spend; None is no limit. tokens: prompt and completion; minutes: of wall time."""

    usd: float | None = None
    calls: int | None = None
    tokens: int | None = None
    minutes: float | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """What one or more calls cost or may cost."""

    usd: float = 0.0
    calls: int = 0
    tokens: int = 0

    def plus(self, other: Amount, times: int = 1) -> Amount:
        """This and ``times`` the other."""
        return Amount(
            self.usd + times * other.usd, self.calls + times * other.calls, self.tokens + times * other.tokens
        )


NOTHING = Amount()
NO_LIMITS = Limits()


def ceiling(request: Request, price: Price | None, default_output_tokens: int) -> Amount:
    """The most that a request can cost: a token is at least one byte of UTF-8, and output ends at its limit.

    A response schema counts as a part of the prompt, as providers count it; so does an image, at the most that one can take.

    An unknown price counts as 0 USD here; a USD limit is refused before the start when a price is unknown.
    """
    prompt = sum(len(m.content.encode("utf-8", "surrogatepass")) + 8 for m in request.messages)
    prompt += sum(len(m.images) for m in request.messages) * most_image_tokens(request.model.name)
    prompt += len(json.dumps(request.response_schema)) if request.response_schema else 0
    completion = int(request.model.params.get("max_output_tokens") or default_output_tokens)
    most = price.at(prompt).highest() if price else None
    usd = prompt * most.prompt_usd + completion * most.completion_usd if most else 0.0
    return Amount(usd, 1, prompt + completion)


def actual(result: CallResult, most: Amount) -> Amount:
    """What an answered call cost; when its price was not told, the most that it can have cost."""
    usage = result.usage
    usd = most.usd if result.cost_usd is None else result.cost_usd
    return Amount(usd, 1, usage.prompt_tokens + usage.completion_tokens)


class Budget:
    """The limits of one run and what it has spent.

    ``kept_back`` is set aside for what must still be possible when the search has used up the rest (the sealed test).
    """

    def __init__(
        self, limits: Limits, spent: Totals, elapsed_s: float = 0.0, clock: Callable[[], float] = time.monotonic
    ):
        self.limits = limits
        self.kept_back = NOTHING
        self.timed = True
        """False lifts the wall-time limit, for what finishes a run."""
        self._spent = _amount(spent)
        self._reserved = NOTHING
        self._lent = NOTHING
        self._clock = clock
        self._began = clock() - elapsed_s
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def spent(self) -> Amount:
        """Settled so far, with what may have been spent unseen."""
        return self._spent

    def share(self, fraction: float) -> Limits:
        """A part of what is left, for lend(); what has no limit has none there either. fraction: in (0, 1]."""
        left, used = self.limits, self._spent.plus(self._lent).plus(self._reserved).plus(self.kept_back)
        fraction *= 1 - 1e-9  # the parts together must not pass the whole by rounding
        return Limits(
            None if left.usd is None else max(0.0, (left.usd - used.usd) * fraction),
            None if left.calls is None else max(0, int((left.calls - used.calls) * fraction)),
            None if left.tokens is None else max(0, int((left.tokens - used.tokens) * fraction)),
        )

    def lend(self, share: Limits) -> Amount:
        """Let another worker spend a share; returns what take_back() wants to know. Calls here do not wait for its return."""
        lent = Amount(share.usd or 0.0, share.calls or 0, share.tokens or 0)
        self._lent = self._lent.plus(lent)
        return lent

    def take_back(self, lent: Amount, spent: Amount) -> None:
        """The other worker is done with what was lent, having spent so much."""
        self._lent = self._lent.plus(lent, -1)
        self.settle(NOTHING, spent)

    def recount(self, spent: Totals) -> None:
        """Take what is on record as what was spent. Only to be called while no call is under way."""
        self._spent = _amount(spent)

    async def reserve(self, amount: Amount) -> None:
        """Set the amount aside, waiting for calls under way when only their reservations are in the way.

        Raises: BudgetReached when it would not fit even if they cost nothing.
        """
        while self.limits != NO_LIMITS:
            gone = self._spent.plus(self._lent).plus(self.kept_back)
            self._refuse_beyond(gone.plus(amount))
            if not self._excess(gone.plus(self._reserved).plus(amount)):
                break
            settled = asyncio.get_running_loop().create_future()
            self._waiting.append(settled)
            await settled
        self._reserved = self._reserved.plus(amount)

    def settle(self, reserved: Amount, spent: Amount) -> None:
        """Replace a reservation by what was really spent."""
        self._reserved = self._reserved.plus(reserved, -1)
        self._spent = self._spent.plus(spent)
        waiting, self._waiting = self._waiting, []
        for settled in waiting:
            if not settled.done():
                settled.set_result(None)

    def _refuse_beyond(self, total: Amount) -> None:
        if excess := self._excess(total):
            raise BudgetReached(excess)
        minutes = self.limits.minutes
        if self.timed and minutes is not None and self._clock() - self._began >= minutes * 60:
            raise BudgetReached(f"the limit of {minutes:g} minutes is reached")

    def _excess(self, total: Amount) -> str:
        limits = self.limits
        kept = " (some is kept back for the sealed test)" if self.kept_back != NOTHING else ""
        if limits.usd is not None and total.usd > limits.usd + 1e-12:
            return f"the limit of {limits.usd:g} USD does not allow another call{kept}"
        if limits.calls is not None and total.calls > limits.calls:
            return f"the limit of {limits.calls} calls does not allow another one{kept}"
        if limits.tokens is not None and total.tokens > limits.tokens:
            return f"the limit of {limits.tokens} tokens does not allow another call{kept}"
        return ""


def _amount(totals: Totals) -> Amount:
    return Amount(
        totals.cost_usd + totals.uncertain_usd,
        totals.calls + totals.uncertain_calls,
        totals.prompt_tokens + totals.completion_tokens,
    )
