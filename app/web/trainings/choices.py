"""What the form of a training offers to choose from."""

from __future__ import annotations

from dataclasses import dataclass

from app.services import datasets, menus, models, prompts, providers
from app.web.context import backend, settings
from app.web.database import session
from app.web.trainings.state import SAMPLE, State

RECENT = 4
"""Versions of each prompt that are offered beside its labels."""


@dataclass(frozen=True)
class Choices:
    """datasets: [(value, title)]. prompts: [(name of the prompt, [(value, title)])]. models: names for both model fields."""

    datasets: list[tuple[str, str]]
    samples: list[tuple[str, str]]
    prompts: list[tuple[str, list[tuple[str, str]]]]
    models: list[str]
    scorers: list[menus.ScorerChoice]
    strategies: list[menus.StrategyChoice]


def offered(state: State) -> Choices:
    """Everything to choose from, the present choices included."""
    known = datasets.list_datasets(session())
    names = {one.name for one in known}
    rows = [(one.name, f"{one.name}, {one.rows} rows") for one in known]
    samples = [(SAMPLE + one.filename, one.title) for one in datasets.sample_files() if one.name not in names]
    chosen = state.values["dataset"]
    if chosen and chosen not in {value for value, _ in rows + samples}:
        rows.append((chosen, f"{chosen} (not here)"))
    return Choices(
        rows, samples, _prompts(state.values["prompt"]), _models(), menus.scorer_menu(), menus.strategy_menu()
    )


def _prompts(chosen: str) -> list[tuple[str, list[tuple[str, str]]]]:
    offered = library(("pair",))
    values = {value for _, group in offered for value, _ in group}
    if chosen and chosen not in values:
        offered.append(("This choice", [(chosen, chosen.replace("@", ", version "))]))
    return offered


def library(kinds: tuple[str, ...] = prompts.KINDS) -> list[tuple[str, list[tuple[str, str]]]]:
    """Prompts of the library with their labels and newest versions: (name of the prompt, [(value, title)])."""
    offered = []
    known = [p for p in prompts.list_prompts(session()) if p.kind in kinds and p.category not in ("optimizer", "judge")]
    recent = prompts.recent_numbers(session(), known, RECENT)
    for prompt in known:
        labels = [(f"{prompt.name}@{one.label}", f"{prompt.name}, {one.label}") for one in prompt.labels]
        numbers = recent.get(prompt.id, [])
        numbered = [(f"{prompt.name}@{n}", f"{prompt.name}, version {n}") for n in numbers]
        offered.append((prompt.name, [(prompt.name, prompt.name), *labels, *numbered]))
    return offered


def _models() -> list[str]:
    """Model configs and models."""
    named = [models.PREFIX + config.name for config in models.list_configs(session(), only_active=True)]
    return [*named, *known_models()]


def known_models() -> list[str]:
    """Models of the providers that are ready; names with a gap to fill in are no names."""
    ready = [p for p in providers.found(settings(), backend().environ, backend().keys) if p.ready]
    configured = [settings().primary_model, settings().optimizer_model, settings().judge_model]
    examples = [name for provider in ready for name in provider.models if "<" not in name]
    return list(dict.fromkeys([*configured, *examples]))
