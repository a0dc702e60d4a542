"""How fast a run's calls were answered: replies that were bought, the newest first, by role, model and lane."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, TypeAlias

from sqlalchemy import Connection, RowMapping, and_, case, false, select

from app.core.stats.latency import Speed, Timing
from app.store.models import CallRow

MEASURED = 100_000
"""Replies of a run that are measured at most: reading a million would take seconds."""

Place: TypeAlias = tuple[str, str, str]
"""Role, model and lane (model@region)."""

THOUGHT_ALOUD = case(
    (and_(CallRow.reasoning_tokens > 0, CallRow.raw["reasoning"].as_string().is_not(None)), True), else_=false()
).label("thought_aloud")
"""Whether thoughts were streamed: they stand in the record then. Those that were not were over before the first delta."""
BOUGHT = (CallRow.settled, ~CallRow.cached, CallRow.error == "")
"""Which calls have times of their own."""
TIMED = (
    CallRow.ttft_s,
    CallRow.ttlb_s,
    CallRow.completion_tokens,
    CallRow.reasoning_tokens,
    CallRow.tokens_estimated,
    THOUGHT_ALOUD,
)
"""Columns that timing_of() reads."""


def speed(connection: Connection, run_id: str, most: int = MEASURED) -> dict[Place, Speed]:
    """Of the newest replies of a run; replies from the cache and failures are not among them."""
    query = select(CallRow.role, CallRow.model, CallRow.lane, *TIMED).where(CallRow.run_id == run_id, *BOUGHT)
    found: defaultdict[Place, Speed] = defaultdict(Speed)
    for row in connection.execute(query.order_by(CallRow.id.desc()).limit(most)):
        found[row.role, row.model, row.lane or row.model].add(timing_of(row._mapping))
    return dict(found)


def timing_of(row: Mapping[str, Any] | RowMapping) -> Timing:
    """What a reply took. row: with the columns TIMED."""
    hidden = 0 if row["thought_aloud"] else row["reasoning_tokens"]
    return Timing(row["ttft_s"], row["ttlb_s"], row["completion_tokens"], hidden, row["tokens_estimated"])
