"""Most scorers only compare two texts; this base makes such a comparison a scorer."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import ClassVar

from app.core.model import Ask, Case, Response, Score
from app.core.scorers.setting import settings_of
from app.ports.llm import Json

CORRECT = "Correct."


@dataclasses.dataclass(frozen=True)
class TextScorer(ABC):
    """Compares an answer with the reference. Subclasses are frozen dataclasses whose fields are the settings."""

    name: ClassVar[str]

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

    @abstractmethod
    def grade(self, reference: str, answer: str) -> Score:
        """Score an answer against the reference."""

    async def score(self, case: Case, response: Response, ask: Ask) -> Score:  # noqa: ARG002 - no model is asked
        """Score one answer against case.reference."""
        return self.grade(case.reference, response.text)


def binary(right: bool, feedback: str) -> Score:
    """1 and "Correct.", or 0 and the feedback."""
    return Score(1.0, CORRECT) if right else Score(0.0, feedback)
