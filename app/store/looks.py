"""Which comparisons were made on the hidden splits of a dataset, whatever became of the runs that made them."""

from __future__ import annotations

from itertools import takewhile

from sqlalchemy import Connection, select

from app.store.models import Look


def candidates_by_run(connection: Connection, dataset_id: int, split: str) -> dict[str, frozenset[str]]:
    """The candidates that each run measured on the split, in the order of first looks. dataset_id: the first version."""
    query = select(Look.run_id, Look.candidate).where(Look.dataset_id == dataset_id, Look.split == split)
    seen: dict[str, set[str]] = {}
    for run_id, candidate in connection.execute(query.order_by(Look.id)):
        seen.setdefault(run_id, set()).add(candidate)
    return {run_id: frozenset(candidates) for run_id, candidates in seen.items()}


def comparisons(connection: Connection, dataset_id: int, split: str, *, before: str = "") -> int:
    """How many distinct sets of two or more candidates were measured on the split: repeating one shows nothing new.

    before: a run; counted are only those that came before the first measurement of its own set.
    """
    seen = candidates_by_run(connection, dataset_id, split)
    own = seen.get(before)
    earlier = takewhile(lambda candidates: candidates != own, seen.values())
    return len({candidates for candidates in earlier if len(candidates) > 1})


def read_comparison(split: str, connection: Connection, run_id: str) -> int:
    """Which comparison on this split the run's own is (see app.ports.journal); 1 when it has looked at nothing."""
    own = connection.scalar(select(Look.dataset_id).where(Look.run_id == run_id).limit(1))
    return 1 if own is None else 1 + comparisons(connection, own, split, before=run_id)
