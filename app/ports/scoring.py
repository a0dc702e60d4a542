"""What scorers ask of the world besides a model: the meaning of a text as numbers, and a place to run a person's code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.ports.llm import Json


class Embedder(Protocol):
    """Turns a text into a vector that stands for its meaning."""

    async def embed(self, text: str) -> Sequence[float]:
        """A vector of length 1; the same text gives the same vector. Of a long text it may read only the beginning."""
        ...


class CodeError(Exception):
    """Code of a person did not do what it should. The message is fit for a page and says what to mend."""


class Sandbox(Protocol):
    """Runs a person's Python file outside of this process, within limits of time, memory and files."""

    def check(self, source: str) -> None:
        """Load the file and see that it has a function ``score``. Raises: CodeError."""
        ...

    async def run(self, source: str, arguments: Sequence[str]) -> Json:
        """What ``score(*arguments)`` of the file returns, as JSON. Raises: CodeError."""
        ...

    def close(self) -> None:
        """End every process."""
        ...


@dataclass(frozen=True)
class Tools:
    """What scorers may use here. None: it is not installed, or the operator did not allow it."""

    embedder: Embedder | None = None
    sandbox: Sandbox | None = None

    def close(self) -> None:
        """End what has been started."""
        if self.sandbox:
            self.sandbox.close()
