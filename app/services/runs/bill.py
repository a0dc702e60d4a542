"""The bill of a run: what it cost, by role and model and by day, and how its calls kept to the rate limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.ports.journal import Totals
from app.services.remembered import Remembered
from app.services.runs.speed import SpeedLine, speed
from app.store import spending
from app.store.models import Run
from app.store.spending import Sent, Spent, total


@dataclass(frozen=True, slots=True)
class Line:
    """What one model cost in one role."""

    role: str
    model: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class Rate:
    """How calls went to what shares a rate limit.

    lane: model@region. target_rpm, actual_rpm: sendings per minute, allowed (None without a limit) and over the whole run (None
    before there is a span to measure). sendings: all of them, retries too. throttled: calls that waited for our own limit,
    mean_wait_s of each of them. limited: sendings that the provider refused for its limit (429).
    """

    lane: str
    model: str
    target_rpm: float | None
    actual_rpm: float | None
    sendings: int
    throttled: int
    throttled_s: float
    mean_wait_s: float | None
    limited: int


@dataclass(frozen=True, slots=True)
class Bill:
    """days: one entry for each day (UTC) on which calls were sent, in order. speeds: how fast its models answered."""

    run_id: str
    simulated: bool
    totals: Totals
    lines: Sequence[Line]
    days: Sequence[tuple[str, Totals]]
    rates: Sequence[Rate]
    speeds: Sequence[SpeedLine] = ()


_known: Remembered[Bill] = Remembered()


def bill(session: Session, run: Run) -> Bill:
    """What a run has cost so far, or as it was written down when its last worker ended."""
    key = (run.id, run.status, run.fence, run.calls_pruned_at)
    return _known.get(session, key, lambda: _bill(session, run), final=run.ended_at is not None)


def _bill(session: Session, run: Run) -> Bill:
    connection = session.connection()
    parts = spending.written(connection, run.id) if run.spent else []
    parts = parts or spending.of_run(connection, run.id)
    lanes = run.spec.get("calls", {}).get("lanes", {})
    return Bill(
        run.id,
        run.simulated,
        total(part.totals for part in parts),
        _lines(parts),
        [(day, total(p.totals for p in parts if p.day == day)) for day in sorted({p.day for p in parts})],
        [_rate(sent, lanes.get(sent.model, {}).get("rpm")) for sent in spending.sent(connection, run.id)],
        speed(session, run),
    )


def _lines(parts: Sequence[Spent]) -> list[Line]:
    """The primary model first, the dearest model of a role first."""
    names = {(part.role, part.model) for part in parts}
    lines = [
        Line(role, model, total(p.totals for p in parts if (p.role, p.model) == (role, model))) for role, model in names
    ]
    return sorted(lines, key=lambda line: (line.role != "primary", line.role, -line.totals.cost_usd, line.model))


def _rate(sent: Sent, target: float | None) -> Rate:
    span_s = (sent.last - sent.first).total_seconds()
    return Rate(
        lane=sent.lane or sent.model,
        model=sent.model,
        target_rpm=target,
        actual_rpm=round(sent.sendings / span_s * 60, 3) if span_s > 0 else None,
        sendings=sent.sendings,
        throttled=sent.throttled,
        throttled_s=round(sent.throttled_s, 3),
        mean_wait_s=round(sent.throttled_s / sent.throttled, 3) if sent.throttled else None,
        limited=sent.limited,
    )
