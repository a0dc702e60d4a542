"""The speed of a run's calls, by role, model, config, region and service tier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.core.stats.latency import MEASURES, Speed, Timing
from app.ports.llm import Json
from app.store import speed as store
from app.store.models import CallRow, Run

SPEED_TITLES = {
    "ttft_s": "First token",
    "ttlb_s": "Last token",
    "inter_token_s": "Between tokens",
    "tokens_per_s": "Tokens, end to end",
    "output_tokens_per_s": "Tokens, once it speaks",
}
"""What each of MEASURES is called."""
_READ = (
    *("settled", "cached", "error", "ttft_s", "ttlb_s", "completion_tokens", "reasoning_tokens", "tokens_estimated"),
)
NAMED = ("role", "model", "config", "region", "tier")


@dataclass(frozen=True, slots=True)
class SpeedLine:
    """One model in one role. config: its name, "" for none. region: where it is served, "" when that is not known.

    tier: the service tier that was asked for, "" for the provider's own.
    """

    role: str
    model: str
    config: str
    region: str
    tier: str
    speed: Speed

    def named(self) -> dict[str, str]:
        """Its names, as columns of a table."""
        return {name: getattr(self, name) for name in NAMED}


def speed(session: Session, run: Run) -> Sequence[SpeedLine]:
    """What the record of the run's calls tells: the primary model first."""
    lines = [
        _line(run.spec.get(role) or {}, (role, model, lane), measured)
        for (role, model, lane), measured in store.speed(session.connection(), run.id).items()
    ]
    return sorted(lines, key=lambda line: (line.role != "primary", line.role, line.model, line.region))


def _line(pinned: Json, place: store.Place, measured: Speed) -> SpeedLine:
    role, model, lane = place
    own = pinned if pinned.get("name") == model else {}
    config = (own.get("config") or {}).get("name", "")
    tier = str((own.get("params") or {}).get("service_tier") or "")
    return SpeedLine(role, model, config, lane.removeprefix(model).removeprefix("@"), tier, measured)


def timing(call: CallRow) -> Timing | None:
    """What one call took; None of a reply from the cache, a failure, and a call that is not over."""
    aloud = isinstance(call.raw, dict) and bool(call.raw.get("reasoning"))
    return timing_in({name: getattr(call, name) for name in _READ} | {"thought_aloud": aloud})


def timing_in(call: Mapping[str, Any]) -> Timing | None:
    """The same of a call's columns, with thought_aloud among them (see app.store.speed)."""
    own = call["settled"] and not call["cached"] and not call["error"]
    return store.timing_of(call) if own else None


def document(line: SpeedLine) -> dict[str, Json]:
    """A line as JSON."""
    return line.named() | line.speed.as_json()


SPEED_COLUMNS = (*NAMED, "replies", "estimated", *(f"{m}_{s}" for m in MEASURES for s in ("n", "p50", "p95", "p99")))


def flat(line: SpeedLine) -> dict[str, Json]:
    """A line as a row of SPEED_COLUMNS."""
    told = line.speed.as_json()
    parts = {f"{name}_{key}": value for name in MEASURES for key, value in told[name].items()}
    return line.named() | {"replies": told["replies"], "estimated": told["estimated"]} | parts
