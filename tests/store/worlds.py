"""One run with a store around it, as the contract tests see it: claim it again, be its user, take the store away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from app.ports.journal import Journal, Wish
from app.ports.llm import Json
from app.store.memory import MemoryRecord

Told = tuple[int | None, str, Json]


class World(Protocol):
    """A run and what keeps it."""

    def claim(self) -> Journal:
        """The journal of the next worker."""
        ...

    def events(self) -> list[Told]:
        """Everything noted and told so far, in order."""
        ...

    def wish(self, wish: Wish) -> None:
        """Ask something of the worker."""
        ...

    def away(self) -> AbstractContextManager[None]:
        """Nobody reaches the store meanwhile."""
        ...

    async def close(self) -> None:
        """Release everything."""
        ...


class MemoryWorld:
    """A run in memory."""

    def __init__(self) -> None:
        self.record = MemoryRecord()

    def claim(self) -> Journal:
        return self.record.claim()

    def events(self) -> list[Told]:
        return [tuple(event) for event in self.record.events]

    def wish(self, wish: Wish) -> None:
        self.record.wish = wish

    @contextmanager
    def away(self) -> Iterator[None]:
        self.record.away = True
        yield
        self.record.away = False

    async def close(self) -> None:
        """Nothing to release."""
