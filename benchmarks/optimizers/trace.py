"""What every optimiser hands back: its best prompt after so many rollouts. Standard library alone."""

from __future__ import annotations

from dataclasses import dataclass, field

SIZES = (150, 50, 100)
"""Train, validation and test cases."""


@dataclass
class Trace:
    """The best prompt's true accuracy, step by step.

    steps: (rollouts spent, prompt); the first is the initial prompt. reflections: calls of the reflector in all.
    """

    steps: list[tuple[int, str]] = field(default_factory=list)
    rollouts: int = 0
    reflections: int = 0

    def at(self, budget: int) -> str:
        """The prompt that was the best when the budget was used up."""
        return [prompt for spent, prompt in self.steps if spent <= budget or spent == self.steps[0][0]][-1]
