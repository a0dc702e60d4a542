"""Prompts, their versions and labels."""

from __future__ import annotations

from typing import Any, Literal

from app.api.shapes.base import Shape, Time


class Prompt(Shape):
    """A prompt without its texts."""

    name: str
    kind: Literal["pair", "chat"]
    description: str
    category: str
    tags: list[str]
    versions: int
    labels: dict[str, int]
    created_at: Time


class Version(Shape):
    """One version of a prompt: system_prompt and output_prompt, or messages."""

    prompt: str
    kind: Literal["pair", "chat"]
    version: int
    system_prompt: str | None = None
    output_prompt: str | None = None
    messages: Any = None
    labels: list[str]
    digest: str
    author: str
    parent: int | None
    run: str | None
    fate: str
    reasoning: str
    scores: Any
    created_at: Time


class FullPrompt(Prompt):
    """A prompt with all its versions, the newest first."""

    history: list[Version]


class About(Shape):
    """What is said about a prompt; what is left out stays."""

    name: str | None = None
    description: str | None = None
    category: str | None = None
    tags: list[str] | None = None


class LabelMove(Shape):
    """A label was pointed at a version; null when it was taken away."""

    label: str
    version: int | None
    at: Time


class Which(Shape):
    """A version by its number, or by a label."""

    version: int | str


class Labelled(Shape):
    """Where a label points."""

    prompt: str
    label: str
    version: int


class ImportedVersion(Version):
    """A version that was imported. adjusted: variables that stood in single braces."""

    adjusted: list[str]


class ImportedPrompts(Shape):
    """The versions that an import made."""

    items: list[ImportedVersion]
