"""What every scorer has: settings that are its fields, and a spec. Most only compare two texts."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, TypeVar

from app.core.model import Ask, Case, Response, Score
from app.core.scorers.setting import settings_of
from app.ports.llm import Json, Message, ModelRef
from app.ports.scoring import Tools

CORRECT = "Correct."

T = TypeVar("T", bound="Configured")


@dataclasses.dataclass(frozen=True)
class Configured(ABC):
    """A scorer whose fields are its settings, but for ``tools`` and the like, which are handed over by ``equipped``."""

    name: ClassVar[str]
    asks_judge: ClassVar[bool] = False
    """Whether each score takes a call of the judge model."""

    def __post_init__(self) -> None:
        """Check every setting. Raises: ValueError naming the setting."""
        for one in settings_of(self):
            value = one.check(getattr(self, one.name))
            object.__setattr__(self, one.name, tuple(value) if isinstance(value, list) else value)

    @property
    def spec(self) -> Json:
        """Name and settings."""
        values = {one.name: getattr(self, one.name) for one in settings_of(self)}
        return {"name": self.name} | {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    @property
    def hint(self) -> str:
        """What the optimiser is told about how answers are scored: the name, and more where that says too little."""
        return self.name

    def longest(self, case: Case) -> Sequence[tuple[ModelRef, Sequence[Message]]]:  # noqa: ARG002 - most ask no model
        """For each model that is asked about an answer to this case, the most that one call can ask."""
        return ()

    def equipped(self: T, tools: Tools, judge: ModelRef | None) -> T:  # noqa: ARG002 - most scorers need nothing
        """This scorer with what it needs to work. Raises: ValueError with what to do when that is not here."""
        return self

    @abstractmethod
    async def score(self, case: Case, response: Response, ask: Ask) -> Score:
        """See app.core.model.Scorer."""


@dataclasses.dataclass(frozen=True)
class TextScorer(Configured):
    """Compares an answer with the reference."""

    @abstractmethod
    def grade(self, reference: str, answer: str) -> Score:
        """Score an answer against the reference."""

    async def score(self, case: Case, response: Response, ask: Ask) -> Score:  # noqa: ARG002 - no model is asked
        """Score one answer against case.reference."""
        return self.grade(case.reference, response.text)


def binary(right: bool, feedback: str) -> Score:
    """1 and "Correct.", or 0 and the feedback."""
    return Score(1.0, CORRECT) if right else Score(0.0, feedback)
