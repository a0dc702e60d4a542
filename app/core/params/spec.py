"""What one provider's table is made of: parameters with their ranges, and rules for what does not go together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from app.ports.llm import Json

Kind: TypeAlias = Literal["float", "int", "choice", "texts", "bool"]
Action: TypeAlias = Literal["drop", "clamp", "rename", "warn", "passthrough"]


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A parameter that is sent otherwise than it was asked for. adjusted: what is sent, or its new name; None for nothing."""

    param: str
    original: Json
    adjusted: Json
    action: Action
    reason: str


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter that a provider takes.

    low, high: of numbers, both allowed; for texts, high is how many there may be. choices: of kind choice. default: what the
    provider does when it is not given, None when that depends on the model or is not told. meaning: for the form and docs.
    """

    name: str
    kind: Kind
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    default: Json = None
    meaning: str = ""

    @property
    def range(self) -> str:
        """What it takes, in words."""
        if self.kind == "choice":
            return ", ".join(self.choices)
        if self.kind == "texts":
            return f"up to {self.high:g} texts" if self.high is not None else "texts"
        if self.kind == "bool":
            return "true, false"
        low, high = (None if end is None else _plain(end) for end in (self.low, self.high))
        number = "whole number" if self.kind == "int" else "number"
        if low is not None and high is not None:
            return f"{low} to {high}"
        return f"{number} from {low}" if low is not None else number


Rule: TypeAlias = Callable[[str, dict[str, Json]], list[Adjustment]]
"""Takes a model's name without its provider and the parameters so far, changes these in place, and says what it changed."""


@dataclass(frozen=True, slots=True)
class Provider:
    """The table of one provider. passes: whether what is not in it may be handed through as it is."""

    name: str
    title: str
    params: tuple[Param, ...]
    rules: tuple[Rule, ...] = ()
    passes: bool = True

    def param(self, name: str) -> Param | None:
        """The parameter of that name, if the provider takes it."""
        return next((one for one in self.params if one.name == name), None)


def drop(params: dict[str, Json], name: str, reason: str) -> list[Adjustment]:
    """Leave a parameter out, if it is there."""
    if name not in params:
        return []
    return [Adjustment(name, params.pop(name), None, "drop", reason)]


def change(params: dict[str, Json], name: str, value: Json, reason: str) -> list[Adjustment]:
    """Put a value in the place of another one."""
    original, params[name] = params[name], value
    return [Adjustment(name, original, value, "clamp", reason)]


def _plain(number: float) -> str:
    return f"{int(number)}" if float(number).is_integer() else f"{number:g}"
