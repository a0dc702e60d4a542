"""What the try-it panel of a prompt is made of, and which model it begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.ports.llm import ModelRef
from app.services import models, providers
from app.store.models import Prompt, PromptVersion
from app.web.context import backend, settings
from app.web.database import session

_SIMULATED = "simulated/primary"


@dataclass(frozen=True)
class Panel:
    """fields: what is sent with the input. include: the form whose unsaved draft is tried, as CSS finds it; "" for none.

    variables: that need a value. model: that is filled in. known: to choose from.
    """

    fields: Mapping[str, str]
    include: str
    variables: Sequence[str]
    model: str
    known: Sequence[str]


def panel_of_version(prompt: Prompt, version: PromptVersion, variables: Sequence[str]) -> Panel:
    """The panel beside a version."""
    return _panel({"prompt": f"{prompt.name}@{version.number}"}, "", variables)


def panel_of_editor(variables: Sequence[str]) -> Panel:
    """The panel beside the editor; what stands in the editor is tried."""
    return _panel({}, "#editor", variables)


def _panel(fields: Mapping[str, str], include: str, variables: Sequence[str]) -> Panel:
    wanted = [name for name in variables if name != "input"]
    return Panel(fields, include, wanted, default_model(), offered_models())


def offered_models() -> list[str]:
    """Active configs, and examples of the providers that are ready."""
    named = [models.PREFIX + config.name for config in models.list_configs(session(), only_active=True)]
    ready = [p for p in providers.found(settings(), backend().environ) if p.ready]
    examples = [name for provider in ready for name in provider.models if "<" not in name]
    return list(dict.fromkeys([*named, settings().primary_model, *examples]))


def default_model() -> str:
    """The configured primary model; where it cannot be called, the first that can."""
    gateway = backend().gateway
    if gateway.problem(ModelRef(settings().primary_model)) is None:
        return settings().primary_model
    ready = [p for p in providers.found(settings(), backend().environ) if p.ready and p.name != "simulated"]
    return next((name for provider in ready for name in provider.models if "<" not in name), _SIMULATED)
