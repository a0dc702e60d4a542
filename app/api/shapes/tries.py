"""The shapes of tries."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from app.api.shapes import Shape, Spent


class Try(Shape):
    """One input for one to six models. What is left out has its default."""

    models: list[str] = Field(description="provider/model or config:NAME, each once")
    input: str = ""
    prompt: str = Field("", description="of the library, as name or name@version-or-label, in place of the texts")
    system_prompt: str = ""
    output_prompt: str = ""
    messages: list[dict[str, str]] = Field(default_factory=list, description="a chat, in place of the two prompts")
    variables: dict[str, str] = Field(default_factory=dict)
    temperature: float | None = None
    max_output_tokens: int | None = None


class TryEstimate(Shape):
    """The most that a try may take. usd_high leaves out the unpriced models."""

    calls: int
    tokens_high: int
    usd_high: float
    unpriced: list[str]
    adjustments: Any


class TriedModel(Shape):
    """One model's answer; answer is null until it is there."""

    number: int
    model: str
    title: str
    state: Literal["waiting", "answered", "failed", "none"]
    answer: Any
    adjustments: Any


class Tried(Spent):
    """The answers of a try, and what it has spent."""

    run: str
    status: str
    reason: str
    simulated: bool
    answers: list[TriedModel]


class KeptExample(Shape):
    """dataset: of an old name, which gets a new version, or a new one. answer: the right one."""

    dataset: str
    answer: str
