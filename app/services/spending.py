"""What all runs have cost lately: by day, role, model and run; simulated money is never added to real money."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.ports.journal import Totals
from app.services.remembered import Remembered
from app.store import spending as store
from app.store.models import Run
from app.store.spending import Spent, total

MOST_DAYS = 3660
DEAREST = 10
"""Runs that are named."""


@dataclass(frozen=True, slots=True)
class RunCost:
    """What one run cost within the days. name: None when the run has been deleted since."""

    run_id: str
    name: str | None
    totals: Totals


@dataclass(frozen=True, slots=True)
class Ledger:
    """One kind of money. days: every day from the first to the last, those without a call too; the rest dearest first."""

    totals: Totals
    days: Sequence[tuple[dt.date, Totals]]
    roles: Sequence[tuple[str, Totals]]
    models: Sequence[tuple[str, Totals]]
    runs: Sequence[RunCost]

    @property
    def used(self) -> bool:
        """Whether anything was asked of a model of this kind."""
        return self.totals != Totals()


@dataclass(frozen=True, slots=True)
class Spending:
    """first, last: the days (UTC) that it is about. A model of the simulated provider costs simulated money."""

    first: dt.date
    last: dt.date
    real: Ledger
    simulated: Ledger


_known: Remembered[list[Spent]] = Remembered()


def spending(session: Session, days: int, today: dt.date | None = None) -> Spending:
    """What was spent on the last days. days: with today, in [1, MOST_DAYS]. today: in UTC, None for the present day."""
    last = today or dt.datetime.now(dt.UTC).date()
    first = last - dt.timedelta(days=days - 1)
    parts = _known.get(
        session, (first,), lambda: list(store.since(session.connection(), first.isoformat())), final=False
    )
    simulated = [part for part in parts if part.model.startswith("simulated/")]
    real = [part for part in parts if not part.model.startswith("simulated/")]
    return Spending(first, last, *(_ledger(session, some, first, last) for some in (real, simulated)))


def _ledger(session: Session, parts: Sequence[Spent], first: dt.date, last: dt.date) -> Ledger:
    by_day = dict(_by(parts, lambda part: part.day))
    dates = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    dearest = _by(parts, lambda part: part.run_id)[:DEAREST]
    there = (Run.id.in_([run_id for run_id, _ in dearest]), Run.deleted_at.is_(None))
    found = session.execute(select(Run.id, Run.name).where(*there))
    names: dict[str, str] = {row.id: row.name for row in found}
    return Ledger(
        total(part.totals for part in parts),
        [(date, by_day.get(date.isoformat(), Totals())) for date in dates],
        _by(parts, lambda part: part.role),
        _by(parts, lambda part: part.model),
        [RunCost(run_id, names.get(run_id), totals) for run_id, totals in dearest],
    )


def _by(parts: Iterable[Spent], key: Callable[[Spent], str]) -> list[tuple[str, Totals]]:
    """The totals by key, the dearest first."""
    groups: dict[str, list[Totals]] = defaultdict(list)
    for part in parts:
        groups[key(part)].append(part.totals)
    sums = [(name, total(group)) for name, group in groups.items()]
    return sorted(sums, key=lambda one: (-one[1].cost_usd - one[1].uncertain_usd, one[0]))
