"""What the call behind an answer took, as far as the calls of the run are still on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.store.models import CallRow


@dataclass(frozen=True, slots=True)
class Figures:
    """Tokens: None and 0 when the call is not on record. ttft_s: seconds to the first word."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int = 0
    ttft_s: float | None = None
    finish_reason: str = ""
    cached: bool = False
    call_id: int | None = None


def figures(session: Session, run_id: str, samples: Sequence[str]) -> dict[str, Figures]:
    """By sample key. The key of an answer's first call begins with the sample's, followed by "/0:"."""
    if not samples:
        return {}
    ours = or_(*(and_(CallRow.key >= f"{key}/0:", CallRow.key < f"{key}/0;") for key in samples))
    names = ("key", "prompt_tokens", "completion_tokens", "reasoning_tokens", "ttft_s", "finish_reason", "cached", "id")
    columns = [getattr(CallRow, name) for name in names]
    rows = session.execute(select(*columns).where(CallRow.run_id == run_id, ours))
    return {key.partition("/")[0]: Figures(*rest) for key, *rest in rows}
