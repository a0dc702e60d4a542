"""What a test of a server says, step by step and in words: is it there, does it list models, does it answer, does it stream."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from app.llm.around import Around
from app.llm.keyring import Keyring


@dataclass(frozen=True, slots=True)
class Step:
    """name: reachable, models, call or stream. ok: None when it could not be tried. seconds: how long it took."""

    name: str
    ok: bool | None
    words: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """models: names that the server lists."""

    steps: tuple[Step, ...]
    models: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether models of it can be called."""
        return any(step.name == "call" and step.ok for step in self.steps)


def run(base: str, around: Around, keys: Keyring, model: str = "") -> Trial:
    """Test a server; takes seconds. model: the one that is called; "" for the first that it lists."""
    from app.services.providers.testing import tested

    return asyncio.run(tested(base, replace(around, keys=keys), model))
