"""Chance without a clock or a generator: the same parts give the same number on every machine, in any order of calls."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


def chance(*parts: object) -> float:
    """A number in [0, 1) that depends on the parts and on nothing else."""
    text = "\x1f".join(str(part) for part in parts)
    raw = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return (int.from_bytes(raw[:8], "big") >> 11) * 2.0**-53


def pick(options: Sequence[T], *parts: object) -> T:
    """One of the options, each equally likely."""
    return options[int(chance(*parts) * len(options))]


@dataclass(frozen=True)
class Dice:
    """The luck of one call. seed: the request's own seed; prompt, text: what it says; temperature: 0 or more."""

    seed: object
    prompt: str
    text: str
    temperature: float

    def of_input(self, what: str) -> float:
        """Luck that this input has under every prompt, so that two prompts are compared on equally hard inputs."""
        return chance(self.seed, self.text, what)

    def of_call(self, what: str) -> float:
        """Luck of this prompt with this input; heat counts as another throw."""
        return chance(self.seed, self.prompt, self.text, self.temperature, what)
