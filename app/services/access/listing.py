"""What can be checked by name: model configs and models; and a state as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from app.llm.routes import route
from app.ports.llm import ModelRef, Permanent
from app.services import models
from app.services.access.known import State
from app.services.access.target import Target
from app.services.documents import time
from app.services.errors import Invalid, NotFound, Problem
from app.store.models import ModelConfig

MOST = 500
"""Most models of one check."""


def of_configs(session: Session) -> list[tuple[Target, list[str]]]:
    """The targets of all active configs, each with the names of the configs that come to it."""
    found: dict[Target, list[str]] = {}
    for config in models.list_configs(session, only_active=True):
        found.setdefault(_of(config), []).append(config.name)
    return list(found.items())


def named(session: Session, names: Sequence[str]) -> list[Target]:
    """The targets of names: of configs (with or without config: before them) or of models. None: all active configs.

    Raises: Invalid with every name that means neither.
    """
    if not names:
        return [target for target, _ in of_configs(session)]
    if len(names) > MOST:
        raise Invalid([Problem("models", f"at most {MOST} can be checked at once")])
    problems: list[Problem] = []
    found = [_named(session, name, problems) for name in names]
    if problems:
        raise Invalid(problems)
    return [target for target in dict.fromkeys(found) if target]


def document(state: State) -> dict[str, Any]:
    """A state as JSON."""
    return {
        **asdict(state.target),
        "answers": state.answers if state.outcome else None,
        "outcome": state.outcome or None,
        "words": state.words,
        "seconds": state.seconds,
        "usd": state.usd,
        "checked_at": time(state.checked_at),
        "awaited": state.awaited,
        "capabilities": {
            one.name: {"listed": one.listed, "tried": one.tried, "differs": one.differs, "words": one.words}
            for one in state.capabilities
        },
    }


def _of(config: ModelConfig) -> Target:
    head = models.head(config)
    tier = str(head.params.get("service_tier") or "")
    return Target(head.model, head.api_base, head.region, tier)


def _named(session: Session, name: str, problems: list[Problem]) -> Target | None:
    try:
        return _of(models.get(session, name.removeprefix(models.PREFIX)))
    except NotFound as missing:
        if models.is_config(name) or "/" not in name:
            problems.append(Problem("models", str(missing)))
            return None
    try:
        route(ModelRef(name))
    except Permanent as error:
        problems.append(Problem("models", str(error)))
        return None
    return Target(name)
