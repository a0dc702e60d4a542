"""What a strategy is shown, and what it proposes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from app.core.model import Ask, Candidate, Case
from app.core.optimizers.length import Length
from app.ports.journal import Sample
from app.ports.llm import ModelRef


@dataclass(frozen=True)
class Proposal:
    """The next pair of prompts to try, and why it should be better.

    strategy: which one made it, when the one that was asked let another one do it; else "".
    parents: numbers of the other members of the pool that it was made from, beside the epoch's parent.
    """

    system_prompt: str
    output_prompt: str
    reasoning: str
    strategy: str = ""
    parents: tuple[int, ...] = ()


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
class Member:
    """A candidate that children can be made from. number 0: the initial prompts.

    scores: what it scored, by case id, train and validation alike; no text. mean: over the validation examples that it
    answered. complete: whether those were all of them.
    """

    number: int
    candidate: Candidate
    parents: tuple[int, ...]
    scores: Mapping[str, float]
    mean: float
    complete: bool


@dataclass(frozen=True)
class Trial:
    """What one proposal brought. gain: by how much it raised the best validation mean, else 0. rollouts: what it took."""

    strategy: str
    epoch: int
    gain: float
    rollouts: int


@dataclass(frozen=True)
class Outlook:
    """Where the search stands. members: the pool, oldest first. best: the number of the leading one. trials: in order."""

    epoch: int
    seed: int
    best: int
    members: tuple[Member, ...]
    trials: tuple[Trial, ...] = ()

    def member(self, number: int) -> Member:
        """One of the pool. Raises: KeyError."""
        return {one.number: one for one in self.members}[number]


@dataclass(frozen=True)
class Evidence:
    """Everything that a strategy may see. Validation and test text never gets in here.

    parent: the pool's member ``parent_number``. failures, successes: chosen from seen, all train rows that it has answered.
    rejected: earlier proposals, newest last, capped by the caller. task_hint: how answers are scored, in a sentence.
    train: the train split, for examples. epoch: from 1. max_prompt_chars, max_prompt_tokens: for both prompts together.
    locked: texts of the parent that every proposal must leave as and where they are.
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
    max_prompt_chars: int | None
    optimizer: ModelRef | None
    instructions: str
    outlook: Outlook
    parent_number: int = 0
    seen: tuple[Seen, ...] = ()
    max_prompt_tokens: int | None = None
    locked: tuple[str, ...] = ()

    @property
    def length(self) -> Length:
        """How long both prompts may be together."""
        return Length(self.max_prompt_chars, self.max_prompt_tokens)


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

    @property
    def children(self) -> int:
        """How many proposals it makes in an epoch at most."""
        ...

    @property
    def merges(self) -> bool:
        """Whether proposals of one epoch that are better than their parent are merged into one more."""
        ...

    def parent(self, outlook: Outlook) -> int:
        """Number of the member that the next proposals start from. A pure function."""
        ...

    async def propose(self, evidence: Evidence, ask: Ask) -> list[Proposal]:
        """The next proposals, at most ``children``; empty when no reply of the optimiser was usable after its repair turn."""
        ...
