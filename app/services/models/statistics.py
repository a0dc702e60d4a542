"""How model configs have done: in how many runs, with how many calls, how fast, how dear, how often they failed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.services.remembered import Remembered
from app.store import usage
from app.store.models import Run
from app.store.usage import Figures


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of every run that named the config, over all its revisions.

    mean_s: seconds of an answered call, n is answered. mean_usd: of an answered call whose price is known, n is priced. None
    without any. Replies from the cache are counted nowhere; calls that were pruned are gone.
    """

    runs: int = 0
    answered: int = 0
    failed: int = 0
    mean_s: float | None = None
    priced: int = 0
    mean_usd: float | None = None


_known: Remembered[dict[str, Figures]] = Remembered(most=1024)


def statistics(session: Session) -> dict[int, Statistics]:
    """By config id; a config that no run named is not in it."""
    connection = session.connection()
    used: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for run_id, role, config in usage.users(connection):
        used[config].append((run_id, role))
    runs = {run_id for places in used.values() for run_id, _ in places}
    by_run = {run.id: _figures(session, run) for run in session.scalars(select(Run).where(Run.id.in_(runs)))}
    return {
        config: _sum({run_id for run_id, _ in places}, [by_run[run_id].get(role, Figures()) for run_id, role in places])
        for config, places in used.items()
    }


def _figures(session: Session, run: Run) -> dict[str, Figures]:
    key = (run.id, run.status, run.fence, run.calls_pruned_at)
    connection = session.connection()
    return _known.get(session, key, lambda: usage.figures(connection, run.id), final=run.ended_at is not None)


def _sum(runs: set[str], parts: list[Figures]) -> Statistics:
    answered, priced = sum(part.answered for part in parts), sum(part.priced for part in parts)
    return Statistics(
        runs=len(runs),
        answered=answered,
        failed=sum(part.failed for part in parts),
        mean_s=sum(part.seconds for part in parts) / answered if answered else None,
        priced=priced,
        mean_usd=sum(part.usd for part in parts) / priced if priced else None,
    )
