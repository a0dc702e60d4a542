"""Versions of prompts on the examples that both have scored: of one run, or of several runs over the same data.

Each one is compared with the first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import stats
from app.core.stats.acceptance import MIN_COVERAGE
from app.ports.journal import Outcome, Sample
from app.ports.llm import Json
from app.services.comparison.sides import Side
from app.services.remembered import Remembered
from app.store.models import Run, SampleRow

SPLITS = ("test", "validation", "train", "all")
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Pace:
    """What an answer took. n: answers that a model gave. usd, tokens: means; usd is None when a price is unknown.

    median_s, p95_s: seconds of waiting for the model, nearest rank. Replies from the cache count as when they were bought.
    """

    n: int
    usd: float | None
    tokens: float | None
    median_s: float | None
    p95_s: float | None


@dataclass(frozen=True, slots=True)
class Column:
    """One version: its own mean, what its answers took, and how it compares with the first.

    paired: None for the first one itself, and where the runs do not share their examples. why: why the difference means
    nothing, "" when it may be read.
    """

    side: Side
    mean: stats.Mean
    pace: Pace
    paired: stats.Paired | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Figures:
    """What is worked out of one version's samples, and remembered."""

    mean: stats.Mean
    pace: Pace
    paired: stats.Paired | None


_known: Remembered[list[_Figures]] = Remembered()


def compare(session: Session, sides: Sequence[Side], split: str) -> list[Column]:
    """Compare sides with the first on one split, by the first run's seed: a run's own comparison then shows its own interval.

    split: one of SPLITS. What ended runs compare to does not change, and of large ones takes a second: it is remembered in this
    process.
    """
    ended = all(side.run.ended_at for side in sides)
    key = (split, *((side.run.id, side.run.ended_at, side.version.digest) for side in sides))
    found = _known.get(session, key, lambda: _figures(session, sides, split), final=ended)
    return [
        Column(side, one.mean, one.pace, one.paired, why_not(one.paired, first=side is sides[0]))
        for side, one in zip(sides, found, strict=True)
    ]


def _figures(session: Session, sides: Sequence[Side], split: str) -> list[_Figures]:
    first = _samples(session, sides[0], split)
    found = [_Figures(stats.mean_of(first), pace_of(first), None)]
    for side in sides[1:]:
        samples = _samples(session, side, split)
        pairable = same_data(sides[0].run, side.run)
        compared = stats.paired(first, samples, seed=_seed(sides[0].run)) if pairable else None
        found.append(_Figures(stats.mean_of(samples), pace_of(samples), compared))
    return found


def why_not(paired: stats.Paired | None, *, first: bool = False) -> str:
    """Why a difference from the first cannot be read; "" when it can."""
    if first:
        return ""
    if paired is None:
        return "it was measured on other examples"
    if not paired.n:
        return "no example was scored for both"
    if paired.coverage < MIN_COVERAGE:
        return f"only {paired.n} of {paired.asked} examples were scored for both"
    return ""


def sentence(column: Column, split: str) -> str:
    """What the comparison with the first says, and what it does not."""
    if column.why:
        return f"It cannot be compared: {column.why}."
    paired = column.paired
    if paired is None or paired.delta is None:
        return ""
    sure = paired.p_value is not None and paired.p_value < ALPHA
    if not sure or not paired.delta:
        return f"No clear difference on {paired.n} shared examples. {_caution(split)}".strip()
    word = "better" if paired.delta > 0 else "worse"
    by = f"{abs(paired.delta):.3f}"
    return f"It is {word} by {by} on {paired.n} shared examples. {_caution(split)}".strip()


def _caution(split: str) -> str:
    return {
        "validation": "Validation chose between proposals, so it flatters the chosen one.",
        "train": "These examples were shown to the optimizer.",
        "all": "Some of these examples were shown to the optimizer, and others chose between proposals.",
    }.get(split, "")


def pace_of(samples: Sequence[Sample]) -> Pace:
    """What the answers among these took; those that failed took no part."""
    asked = [one for one in samples if one.calls and one.outcome not in ("provider_error", "timed_out", "cancelled")]
    if not asked:
        return Pace(0, None, None, None, None)
    costs = [one.cost_usd for one in asked]
    usd = None if None in costs else math.fsum(cost or 0.0 for cost in costs) / len(asked)
    seconds = sorted(one.seconds for one in asked)
    return Pace(
        len(asked), usd, sum(one.tokens for one in asked) / len(asked), _rank(seconds, 0.5), _rank(seconds, 0.95)
    )


def _rank(ascending: Sequence[float], share: float) -> float:
    return ascending[max(0, math.ceil(share * len(ascending)) - 1)]


def same_data(a: Run, b: Run) -> bool:
    """True when equal case ids mean equal examples: one dataset, or two with the same content."""
    return a.id == b.id or _digest(a) == _digest(b) != ""


def differences(specs: Sequence[Json], skip: frozenset[str] = frozenset()) -> list[tuple[str, list[Json]]]:
    """(dotted name, value in each) of every setting that the specifications do not share; None where it is missing."""
    flat = [_flat(spec, skip) for spec in specs]
    names = dict.fromkeys(name for one in flat for name in one)
    rows = ((name, [one.get(name) for one in flat]) for name in names)
    return [(name, values) for name, values in rows if any(value != values[0] for value in values)]


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


def _seed(run: Run) -> int:
    return int(run.spec.get("seed") or 0)


def _samples(session: Session, side: Side, split: str) -> list[Sample]:
    columns = (SampleRow.case, SampleRow.repeat, SampleRow.split, SampleRow.outcome, SampleRow.score, SampleRow.calls)
    query = select(*columns, SampleRow.tokens, SampleRow.cost_usd, SampleRow.seconds).where(
        SampleRow.run_id == side.run.id, SampleRow.candidate == side.version.digest
    )
    if split != "all":
        query = query.where(SampleRow.split == split)
    return [_sample(side, row) for row in session.execute(query.order_by(SampleRow.id))]


def _sample(side: Side, row: Any) -> Sample:
    """A sample without its texts."""
    about = ("", side.version.digest, row.case, row.repeat, row.split, cast(Outcome, row.outcome), row.score)
    return Sample(*about, "", "", None, "", row.calls, row.tokens, row.cost_usd, row.seconds)
