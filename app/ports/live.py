"""How whoever watches a run hears what a model is saying at this moment. Nothing of it is kept, and nothing depends on it."""

from __future__ import annotations

from typing import Protocol

from app.ports.llm import Listener


class Ear(Protocol):
    """Hears the answers of one run while they come."""

    def listener(self, key: str) -> Listener:
        """What hears one answer. key: which of the run's answers it is."""
        ...

    def close(self) -> None:
        """Pass on what was heard last, and end."""
        ...
