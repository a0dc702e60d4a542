"""How each config has done over all benchmarks: mean review, time and cost, and how often it was found unacceptable."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.services.benchmarks.judgement import Row, table
from app.services.benchmarks.results import results
from app.services.remembered import Remembered
from app.store.judged import MarkRow, RankingRow
from app.store.models import Run

MOST_RUNS = 200
"""The newest benchmarks that are added up."""

_known: Remembered[list[Row]] = Remembered(most=256)


@dataclass(frozen=True, slots=True)
class Config:
    """A config by its name and model. score: mean review in [0, 1] of its scale, reviews of them; None without any.

    seconds, cost_usd: of an answer, None without one or when a price is unknown.
    """

    config: str
    model: str
    runs: int
    answered: int
    failed: int
    unacceptable: int
    score: float | None
    reviews: int
    seconds: float | None
    cost_usd: float | None


def statistics(session: Session) -> list[Config]:
    """Every config that a benchmark names, by name; of the newest MOST_RUNS benchmarks."""
    query = select(Run).where(Run.kind == "benchmark", Run.deleted_at.is_(None))
    found: dict[tuple[str, str], list[tuple[Row, tuple[int, int]]]] = defaultdict(list)
    for run in session.scalars(query.order_by(Run.created_at.desc()).limit(MOST_RUNS)):
        scale = tuple(run.spec["review"]["scale"]) if run.spec["review"] else (1, 10)
        for row in _rows(session, run):
            found[row.config, row.model].append((row, (scale[0], scale[1])))
    return [_sum(name, model, parts) for (name, model), parts in sorted(found.items())]


def _rows(session: Session, run: Run) -> list[Row]:
    words = [
        session.scalars(select(column).where(owner == run.id).order_by(column.desc()).limit(1)).first()
        for column, owner in ((MarkRow.at, MarkRow.run_id), (RankingRow.saved_at, RankingRow.run_id))
    ]
    key = (run.id, run.status, run.fence, *map(str, words))
    return _known.get(session, key, lambda: table(results(session, run)), final=run.ended_at is not None)


def _sum(name: str, model: str, parts: Sequence[tuple[Row, tuple[int, int]]]) -> Config:
    rows = [row for row, _ in parts]
    scores = [((row.score - low) / (high - low), row.reviews) for row, (low, high) in parts if row.score is not None]
    costs = [(row.cost_usd, row.answered) for row in rows if row.answered]
    priced = [(usd, n) for usd, n in costs if usd is not None]
    return Config(
        name,
        model,
        len(rows),
        sum(row.answered for row in rows),
        sum(row.failed for row in rows),
        sum(row.unacceptable for row in rows),
        _weighted(scores),
        sum(n for _, n in scores),
        _weighted([(row.seconds, row.answered) for row in rows if row.seconds is not None]),
        _weighted(priced) if len(priced) == len(costs) else None,
    )


def _weighted(values: Sequence[tuple[float, int]]) -> float | None:
    n = sum(count for _, count in values)
    return math.fsum(value * count for value, count in values) / n if n else None
