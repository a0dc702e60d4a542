"""Model configs."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from app.api.shapes.base import Shape, Time


class Price(Shape):
    """US dollars per million tokens."""

    prompt: float
    completion: float
    cached: float | None = None


class ModelConfigSaid(Shape):
    """What a new revision of a model config says; active alone makes no revision."""

    model: str | None = None
    api_base: str = ""
    region: str = ""
    params: dict[str, Any] = Field(default_factory=dict)
    target_rpm: float | None = None
    price: Price | None = None
    active: bool = True


class NewModelConfig(ModelConfigSaid):
    """A new model config."""

    name: str


class ModelConfig(Shape):
    """A model config, as one of its revisions says it."""

    name: str
    model: str
    api_base: str
    region: str
    params: Any
    target_rpm: float | None
    price: Any
    active: bool
    revision: int
    created_at: Time


class ListedModelConfig(ModelConfig):
    """A model config with how it did."""

    used: Any


class FullModelConfig(ModelConfig):
    """A model config with what it comes to, and all its revisions, the newest first."""

    comes_to: Any
    history: list[ModelConfig]


class ImportedModels(Shape):
    """What an import did, by name."""

    created: list[str]
    revised: list[str]
    unchanged: list[str]
