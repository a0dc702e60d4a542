"""What a route says about itself beside its docstring: parameters of the query, the body it takes, the answer it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

View = TypeVar("View", bound=Callable[..., Any])
Shape = type[BaseModel]


@dataclass(frozen=True)
class Parameter:
    """One parameter of the query. about: what it means; choices: the values that it may have, () for any."""

    about: str
    type: Literal["string", "integer"] = "string"
    choices: tuple[str, ...] = ()
    low: int = 0
    high: int | None = None

    def schema(self) -> dict[str, Any]:
        """Its JSON schema."""
        if self.type == "integer":
            return {"type": "integer", "minimum": self.low} | ({"maximum": self.high} if self.high is not None else {})
        return {"type": "string"} | ({"enum": list(self.choices)} if self.choices else {})


@dataclass(frozen=True)
class Operation:
    """One route. answer: the shape of its JSON; a mapping gives other media types; None for an answer without content.

    body: the shape of the JSON that it takes; files: the fields of a multipart body instead.
    """

    answer: Shape | Mapping[str, str] | None
    status: int = 200
    query: Mapping[str, Parameter] = field(default_factory=dict)
    body: Shape | None = None
    files: Mapping[str, str] = field(default_factory=dict)


def describe(answer: Shape | Mapping[str, str] | None, status: int = 200, **more: Any) -> Callable[[View], View]:
    """Say about a view what Operation holds; the first paragraph of its docstring says the rest."""

    def said(view: View) -> View:
        view.operation = Operation(answer, status, **more)  # type: ignore[attr-defined]
        return view

    return said


def whole(about: str, low: int = 0, high: int | None = None) -> Parameter:
    """A parameter that is a whole number."""
    return Parameter(about, "integer", low=low, high=high)


def paged(after: Parameter | str, most: int = 1000) -> dict[str, Parameter]:
    """The two parameters of a list that comes in pages."""
    place = after if isinstance(after, Parameter) else Parameter(f'the "next" of the page before: {after}')
    return {"after": place, "limit": whole(f"items on a page, at most {most:,}; 100 when left out", 1, most)}
