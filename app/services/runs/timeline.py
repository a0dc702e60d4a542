"""Cost and tokens of a run over time, as a curve that climbs; of money only what is known for sure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy.orm import Session

from app.services.remembered import Remembered
from app.store import timeline as store
from app.store.models import Run
from app.store.timeline import Slice

POINTS = 120
"""About the spans that a run is cut into; a shorter run has one a second."""


@dataclass(frozen=True, slots=True)
class Point:
    """Everything that had come back seconds after the start, by role: (calls, tokens, usd)."""

    seconds: int
    roles: dict[str, tuple[int, int, float]]


@dataclass(frozen=True, slots=True)
class Timeline:
    """start: when the first call was sent, None before that. unpriced: replies of unknown price; no sum of money has them."""

    start: dt.datetime | None
    points: Sequence[Point]
    unpriced: int = 0

    @property
    def roles(self) -> list[str]:
        """The roles that were called, the primary model first."""
        return sorted(self.points[-1].roles, key=lambda role: (role != "primary", role)) if self.points else []


_known: Remembered[Timeline] = Remembered()


def timeline(session: Session, run: Run) -> Timeline:
    """How a run's cost grew; empty when its calls are not on record (any more)."""
    key = (run.id, run.status, run.fence, run.calls_pruned_at)
    return _known.get(session, key, lambda: _timeline(session, run), final=run.ended_at is not None)


def _timeline(session: Session, run: Run) -> Timeline:
    connection = session.connection()
    ends = store.ends(connection, run.id)
    if ends is None:
        return Timeline(None, [])
    start, last = ends
    width_s = max(1, -(-int((last - start).total_seconds()) // POINTS))
    found = store.slices(connection, run.id, start, width_s)
    return Timeline(start, list(_climbing(found, width_s)), sum(one.unpriced for one in found))


def _climbing(found: Sequence[Slice], width_s: int) -> Iterator[Point]:
    so_far: dict[str, tuple[int, int, float]] = {one.role: (0, 0, 0.0) for one in found}
    if found:
        yield Point(0, dict(so_far))
    for at, group in groupby(found, key=lambda one: one.at):
        for one in group:
            calls, tokens, usd = so_far[one.role]
            so_far[one.role] = (calls + one.calls, tokens + one.tokens, round(usd + one.usd, 9))
        yield Point((at + 1) * width_s, dict(so_far))
