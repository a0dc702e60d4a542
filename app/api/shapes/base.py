"""What all shapes are made of: an object with known keys, a refusal, a page of a list."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

Time = str
"""UTC in ISO 8601, to the second."""


class Shape(BaseModel):
    """A JSON object with these keys and no others."""

    model_config = ConfigDict(extra="forbid")


class Error(Shape):
    """One thing that is wrong. field: name of the input, "" for the whole."""

    field: str
    message: str


class Errors(Shape):
    """A refusal: what kind it is, and one entry for each thing that is wrong."""

    type: Literal[
        "unreadable", "unauthorized", "foreign", "not_found", "method_not_allowed", "conflict", "too_large",
        "unsupported_media_type", "invalid", "unavailable", "fault",
    ]  # fmt: skip
    errors: list[Error]


class _Page(Shape):
    next: Any = Field(description="give it back as after for the next page; null at the end")


def page(item: type[BaseModel]) -> type[BaseModel]:
    """A page of a list of these."""
    items: Any = (list.__class_getitem__(item), ...)
    return create_model(f"{item.__name__}Page", __base__=_Page, __doc__="A page of a list.", items=items)


class Name(Shape):
    """A name; "" for one that is made from the old one."""

    name: str = ""


class Text(Shape):
    """The content of a file."""

    text: str


class NamedText(Text):
    """The content of a file, and a name in place of its own."""

    name: str = ""
