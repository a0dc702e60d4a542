"""How long both prompts may be together: in tokens (estimated), in characters, or both."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.tokens import BYTES, estimated_tokens, size_of


@dataclass(frozen=True)
class Length:
    """The most that both prompts may hold together; None is no limit."""

    chars: int | None = None
    tokens: int | None = None

    def excess(self, *texts: str) -> str:
        """What is too long about the texts, in a sentence; "" when nothing is."""
        chars, tokens = sum(len(text) for text in texts), estimated_tokens(*texts)
        if self.chars is not None and chars > self.chars:
            return f"the prompts have {chars:,} characters together; {self.chars:,} are allowed"
        if self.tokens is not None and tokens > self.tokens:
            return f"the prompts have about {tokens:,} tokens together; {self.tokens:,} are allowed"
        return ""

    def size(self, text: str) -> int:
        """What a text takes of ``room``: bytes where tokens count, else characters."""
        return len(text) if self.tokens is None else size_of(text)

    @property
    def room(self) -> int:
        """What both prompts may take together; within it, both limits are kept."""
        limits = (self.chars, None if self.tokens is None else BYTES * self.tokens)
        return min((limit for limit in limits if limit is not None), default=NO_LIMIT)

    @property
    def words(self) -> str:
        """As the optimiser is told."""
        told = f"{self.room:,} characters"
        return told if self.tokens is None else f"{told} (about {self.room // BYTES:,} tokens)"


NO_LIMIT = 10**9
