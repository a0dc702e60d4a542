"""What a person did that cannot be done, told so that every door (page, API, command line) can show it beside the field."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. field: name of the input as the forms and the API call it, "" for the whole."""

    field: str
    message: str


class ServiceError(Exception):
    """Base of what services refuse."""


class Invalid(ServiceError):
    """The input is wrong; nothing was changed."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.field}: {p.message}" if p.field else p.message for p in self.problems))


class NotFound(ServiceError):
    """There is no such thing (any more)."""


class Conflict(ServiceError):
    """It cannot be done in the present state."""
