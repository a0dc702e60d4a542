"""Two versions of prompts on the examples that both answered: of one run, or of two runs over the same data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import stats
from app.ports.journal import Outcome, Sample
from app.ports.llm import Json
from app.services.remembered import Remembered
from app.store.models import Run, SampleRow


@dataclass(frozen=True, slots=True)
class Side:
    """A version of a run's prompts: its candidate digest within the run."""

    run: Run
    candidate: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Means of both sides over the split, and the paired comparison; None when the runs do not share their examples."""

    before: stats.Mean
    after: stats.Mean
    paired: stats.Paired | None


_known: Remembered[Comparison] = Remembered()


def compare(session: Session, before: Side, after: Side, split: str) -> Comparison:
    """Compare two sides on one split, with the seed of the first run: a run's own comparison then shows its own interval.

    What ended runs compare to does not change, and of large ones takes a second: it is remembered in this process.
    """
    ended = before.run.ended_at and after.run.ended_at
    sides = [(side.run.id, side.run.ended_at, side.candidate) for side in (before, after)]
    return _known.get(session, (*sides, split), lambda: _compared(session, before, after, split), final=bool(ended))


def _compared(session: Session, before: Side, after: Side, split: str) -> Comparison:
    old, new = (_samples(session, side, split) for side in (before, after))
    pairable = same_data(before.run, after.run)
    return Comparison(
        stats.mean_of(old),
        stats.mean_of(new),
        stats.paired(old, new, seed=before.run.spec.get("seed", 0)) if pairable else None,
    )


def same_data(a: Run, b: Run) -> bool:
    """True when equal case ids mean equal examples: one dataset, or two with the same content."""
    return a.id == b.id or _digest(a) == _digest(b) != ""


def differences(a: Json, b: Json, skip: frozenset[str] = frozenset()) -> list[tuple[str, Json, Json]]:
    """(dotted name, left, right) of every setting that two specifications do not share; None where it is missing."""
    left, right = _flat(a, skip), _flat(b, skip)
    names = [*left, *(name for name in right if name not in left)]
    return [(n, left.get(n), right.get(n)) for n in names if left.get(n) != right.get(n)]


def _flat(value: Json, skip: frozenset[str], name: str = "") -> dict[str, Json]:
    if not isinstance(value, dict):
        return {name: value}
    flat: dict[str, Json] = {}
    for key, inner in value.items():
        if key not in skip:
            flat |= _flat(inner, skip, f"{name}.{key}" if name else str(key))
    return flat


def _digest(run: Run) -> str:
    dataset = run.spec.get("dataset") if isinstance(run.spec, dict) else None
    return str((dataset or {}).get("digest") or "")


def _samples(session: Session, side: Side, split: str) -> list[Sample]:
    query = select(SampleRow.case, SampleRow.repeat, SampleRow.outcome, SampleRow.score).where(
        SampleRow.run_id == side.run.id, SampleRow.candidate == side.candidate, SampleRow.split == split
    )
    return [
        Sample("", side.candidate, case, repeat, split, cast(Outcome, outcome), score, "", "")
        for case, repeat, outcome, score in session.execute(query.order_by(SampleRow.id))
    ]
