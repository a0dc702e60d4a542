"""What a strategy is shown, and what it proposes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.core.model import Ask, Candidate, Case
from app.ports.journal import Sample
from app.ports.llm import ModelRef


@dataclass(frozen=True)
class Proposal:
    """The next pair of prompts to try, and why it should be better.

    strategy: which one made it, when the one that was asked let another one do it; else "".
    """

    system_prompt: str
    output_prompt: str
    reasoning: str
    strategy: str = ""


@dataclass(frozen=True)
class Seen:
    """A train case and what the parent made of it."""

    case: Case
    sample: Sample


@dataclass(frozen=True)
class Past:
    """An earlier proposal that was not accepted. delta: by how much it differed from its parent, when that was measured."""

    system_prompt: str
    output_prompt: str
    reasoning: str
    fate: str
    why: str
    delta: float | None


@dataclass(frozen=True)
class Evidence:
    """Everything that a strategy may see. Validation and test text never gets in here.

    rejected: earlier proposals, newest last, capped by the caller. task_hint: how answers are scored, in a sentence.
    train: the train split, for examples. epoch: from 1. max_prompt_chars: for both prompts together.
    optimizer: None for strategies that need no model. instructions: the template text that the optimiser gets.
    """

    parent: Candidate
    failures: tuple[Seen, ...]
    successes: tuple[Seen, ...]
    rejected: tuple[Past, ...]
    task_hint: str
    train: tuple[Case, ...]
    epoch: int
    seed: int
    max_prompt_chars: int
    optimizer: ModelRef | None
    instructions: str


class Strategy(Protocol):
    """How the next candidate is made."""

    @property
    def name(self) -> str:
        """As it is chosen in the form and on the command line."""
        ...

    @property
    def summary(self) -> str:
        """What it does, in one sentence for people."""
        ...

    @property
    def needs_optimizer(self) -> bool:
        """Whether it asks an optimiser model."""
        ...

    @property
    def adds_examples(self) -> bool:
        """Whether its proposals may hold train examples word for word (in their examples block)."""
        ...

    @property
    def template(self) -> str:
        """Name of the file under prompts/optimizer/ with its instructions, without ".md"; "" when it has none."""
        ...

    async def propose(self, evidence: Evidence, ask: Ask) -> list[Proposal]:
        """The next proposals; empty when the optimiser's reply stayed unusable after one repair turn."""
        ...
