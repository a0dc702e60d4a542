"""How the driver of a run shares a large evaluation with other workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.ports.llm import Json


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of an evaluation. work: everything that a worker needs to know. again: somebody had taken it and is gone."""

    number: int
    work: Json
    again: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """How a shard ended. spent: what its worker bought for it. problem: why it is not complete, "" when it is."""

    spent: Json
    problem: str = ""


class Crew(Protocol):
    """The shards of one claim, open to whoever has time. A shard is held by a lease that beat() renews."""

    @property
    def threshold(self) -> int:
        """Evaluations with fewer missing pieces than this are not worth sharing."""
        ...

    async def offer(self, works: Sequence[Json]) -> None:
        """Make shards, numbered from 0, and call for help."""
        ...

    async def take(self) -> Shard | None:
        """The next shard that nobody works on; None when there is none."""
        ...

    async def finish(self, number: int, ended: Ended) -> None:
        """Say that a shard is over."""
        ...

    async def ended(self) -> dict[int, Ended]:
        """The shards that are over, by number."""
        ...

    async def beat(self) -> int:
        """Keep what this worker has taken; returns how many other workers hold a shard now.

        Raises: LeaseLost when the shards were withdrawn.
        """
        ...

    async def withdraw(self) -> None:
        """Remove all shards; nobody needs them any more."""
        ...
