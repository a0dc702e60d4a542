"""The price of a search, epoch by epoch: what each has cost and brought, and whether the next one is worth its price."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from app.core.model import Ask
from app.core.run import Run
from app.core.stats.worth import next_epoch
from app.ports.llm import Json

DIGITS = 9
"""Of US dollars; beyond, a sum depends on the order of its parts."""


@dataclass
class Ledger:
    """What the epochs of one search cost. limit: USD that a further point may cost; None for any price.

    kept: False for runs that were pinned before there was a ledger: their history has no place for one.
    """

    run: Run
    limit: float | None
    kept: bool
    _gains: list[float] = field(default_factory=list)
    _costs: list[float] = field(default_factory=list)
    _at: float | None = None
    _told: bool = False

    async def open(self) -> None:
        """Take down what was spent before the first epoch."""
        if self.kept:
            self._at = await self._spent(0)

    async def close(self, epoch: int, gain: float, best: float | None) -> Json:
        """Take down an epoch; returns what its note is to say of it, {} without a ledger.

        gain: by how much it raised the best validation score. best: that score now.
        usd: what it cost, None where a price is unknown. usd_per_point: what a further point is expected to cost, None while
        that cannot be said, and where nothing more can be gained.
        """
        if not self.kept:
            return {}
        before, self._at = self._at, await self._spent(epoch)
        usd = None if before is None or self._at is None else round(max(0.0, self._at - before), DIGITS)
        self._gains.append(gain)
        self._costs.append(usd or 0.0)
        if usd is None and self.limit is not None and not self._told:
            self._told = True
            text = "The price of a model is unknown, so this search never stops for the price of a further point."
            self.run.note("log", level="warning", text=text)
        worth = next_epoch(self._gains, self._costs, best=best or 0.0) if self._at is not None else None
        price = worth.usd_per_point if worth and worth.gain > 0 else None
        return {"gain": gain, "usd": usd, "usd_per_point": price if price is None else round(price, DIGITS)}

    def not_worth(self, best: float | None) -> str:
        """Why the next epoch is not worth its price; "" when it is, or when nobody set one or knows one."""
        if self.limit is None or self._at is None:
            return ""
        worth = next_epoch(self._gains, self._costs, best=best or 0.0)
        if worth is None or worth.usd_per_point <= self.limit:
            return ""
        return (
            f"a further point of validation score is expected to cost {_usd(worth.usd_per_point)}, above the limit of "
            f"{_usd(self.limit)}: by the {len(self._gains)} epochs so far, one costs {_usd(worth.usd)} and brings "
            f"{100 * worth.gain:.2g} points"
        )

    async def _spent(self, epoch: int) -> float | None:
        """USD spent up to now by all roles, None where a price is unknown. Recorded, so that a replay reads the same sum.

        A reply of an earlier run counts at what it cost then: whether to stop must not depend on what a cache holds.
        """

        async def work(ask: Ask) -> Json:
            del ask
            totals = await self.run.totals()
            return None if totals.unpriced_calls else round(totals.cost_usd + totals.saved_usd, DIGITS)

        found: float | None = await self.run.step(f"price/{epoch}", work)
        return found


def _usd(value: float) -> str:
    """Cents, or three digits of a smaller sum."""
    digits = 2 if value >= 1 else 2 - math.floor(math.log10(value)) if value > 0 else 0
    return f"${value:,.{digits}f}"
