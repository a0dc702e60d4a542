"""How the core asks for its turn where a rate limit is shared with other processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.ports.llm import ModelRef


def place(model: ModelRef) -> str:
    """A model with where it is served; the same model elsewhere has a rate limit of its own."""
    return f"{model.name}@{model.api_base or model.region}"


@dataclass(frozen=True, slots=True)
class Lane:
    """What shares a rate limit. name: model@region. rpm: sendings per minute at most, None for no limit."""

    name: str
    rpm: float | None


class Pace(Protocol):
    """Hands out turns: sendings of a lane are 60/rpm seconds apart, after a small burst."""

    async def turn(self, lane: Lane) -> float:
        """Take the next turn of a lane, for good; returns the seconds until it is due, 0 for now. lane.rpm: not None."""
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...
