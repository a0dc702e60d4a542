"""A config where a model is asked for: config:NAME, at every door."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.llm.gateway import Gateway
from app.ports.llm import ModelRef
from app.services.errors import NotFound
from app.services.models.library import get, head
from app.store.models import ModelConfigRevision

PREFIX = "config:"


def is_config(name: str) -> bool:
    """Whether the name of a model means a config."""
    return name.startswith(PREFIX)


def called(session: Session, name: str) -> ModelConfigRevision:
    """The newest revision of the config that config:NAME means. Raises: NotFound, also for an inactive one."""
    config = get(session, name.removeprefix(PREFIX))
    if not config.active:
        raise NotFound(f"the model config {config.name!r} is inactive; activate it, or choose another one")
    return head(config)


def warning(gateway: Gateway, model: ModelRef, today: dt.date) -> str:
    """That the provider switches the model off, in a sentence; "" when nothing is known of it."""
    day = gateway.deprecated(model)
    if day is None:
        return ""
    is_to_be = "is to be" if day > today else "was to be"
    return f"{model.name} {is_to_be} switched off by its provider on {day.isoformat()}, says LiteLLM's table."
