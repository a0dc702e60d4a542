"""How model configs have done: in how many runs, with how many calls, how fast, how dear, how often they failed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.stats.latency import Speed
from app.ports.llm import Json
from app.services.remembered import Remembered
from app.store import speed, usage
from app.store.models import Run
from app.store.usage import Figures


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of every run that named the config, over all its revisions.

    mean_s: seconds of an answered call, n is answered. mean_usd: of an answered call whose price is known, n is priced. None
    without any. Replies from the cache are counted nowhere; calls that were pruned are gone. speed: of the newest MEASURED
    replies of each run, as Speed.as_json().
    """

    runs: int = 0
    answered: int = 0
    failed: int = 0
    mean_s: float | None = None
    priced: int = 0
    mean_usd: float | None = None
    speed: Json = field(default_factory=lambda: Speed().as_json())


MEASURED = 10_000


@dataclass(frozen=True, slots=True)
class _Went:
    """How the calls of one role went in one run."""

    figures: Figures
    speed: Speed


_NOTHING = _Went(Figures(), Speed())
_known: Remembered[dict[str, _Went]] = Remembered(most=512, worth_s=0.005)


def statistics(session: Session) -> dict[int, Statistics]:
    """By config id; a config that no run named is not in it."""
    used: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for run_id, role, config in usage.users(session.connection()):
        used[config].append((run_id, role))
    runs = {run_id for places in used.values() for run_id, _ in places}
    by_run = {run.id: _went(session, run) for run in session.scalars(select(Run).where(Run.id.in_(runs)))}
    return {
        config: _sum({run_id for run_id, _ in places}, [by_run[run_id].get(role, _NOTHING) for run_id, role in places])
        for config, places in used.items()
    }


def _went(session: Session, run: Run) -> dict[str, _Went]:
    """By role."""
    key = (run.id, run.status, run.fence, run.calls_pruned_at)
    return _known.get(session, key, lambda: _read(session, run.id), final=run.ended_at is not None)


def _read(session: Session, run_id: str) -> dict[str, _Went]:
    connection = session.connection()
    fast: defaultdict[str, Speed] = defaultdict(Speed)
    for (role, _, _), measured in speed.speed(connection, run_id, MEASURED).items():
        fast[role].merge(measured)
    return {role: _Went(figures, fast[role]) for role, figures in usage.figures(connection, run_id).items()}


def _sum(runs: set[str], parts: list[_Went]) -> Statistics:
    figures, fast = [part.figures for part in parts], Speed()
    for part in parts:
        fast.merge(part.speed)
    answered, priced = sum(one.answered for one in figures), sum(one.priced for one in figures)
    return Statistics(
        runs=len(runs),
        answered=answered,
        failed=sum(one.failed for one in figures),
        mean_s=sum(one.seconds for one in figures) / answered if answered else None,
        priced=priced,
        mean_usd=sum(one.usd for one in figures) / priced if priced else None,
        speed=fast.as_json(),
    )
