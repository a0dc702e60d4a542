"""The optimizer's instructions in the form: versions to choose from, loaded to be changed, kept as a new version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.core.optimizers import STRATEGIES
from app.services import prompts
from app.services.errors import NotFound
from app.store.models import Prompt
from app.web.database import session
from app.web.trainings.state import State

RECENT = 30
"""Newest versions that are offered."""
SHIPPED = "shipped"


@dataclass(frozen=True)
class Offer:
    """asks: whether the strategy has an optimizer to instruct. now: what is used when the text is empty."""

    strategy: str
    asks: bool
    now: str = ""
    prompt: Prompt | None = None
    versions: Sequence[tuple[str, str]] = ()


def offer(strategy: str) -> Offer:
    """The versions of a strategy's instructions. An unknown strategy asks nobody: its own field says what is wrong."""
    if strategy not in STRATEGIES or not STRATEGIES[strategy].template:
        return Offer(strategy, asks=False)
    prompt = _prompt(strategy)
    shipped = (SHIPPED, "as shipped")
    if prompt is None:
        return Offer(strategy, asks=True, now="those that are shipped", versions=[shipped])
    labels = {one.version_id: one.label for one in prompt.labels}
    named = [
        (str(one.number), f"version {one.number}" + (f", {labels[one.id]}" if one.id in labels else ""))
        for one in reversed(prompt.versions[-RECENT:])
    ]
    used = next((one.version.number for one in prompt.labels if one.label == "production"), prompt.versions[-1].number)
    return Offer(strategy, True, f"version {used} in the library", prompt, [*named, shipped])


def loaded(state: State, which: str) -> State:
    """With the text of a version, or with what is used now when none is named; unchanged when there is no such version."""
    strategy = state.values["strategy"]
    try:
        if not which:
            return state.with_values(instructions=prompts.optimizer_instructions(session(), strategy))
        if which == SHIPPED:
            return state.with_values(instructions=prompts.shipped_instructions(strategy))
        version = prompts.version(session(), prompts.get(session(), prompts.INSTRUCTIONS + strategy), which)
    except NotFound:
        return state
    return state.with_values(instructions=version.system_prompt)


def kept(state: State) -> State:
    """With the text kept as a new version. Raises: Invalid, NotFound."""
    made = prompts.save_optimizer_instructions(session(), state.values["strategy"], state.values["instructions"])
    return replace(state, kept=f"Kept as version {made.number} of {made.prompt.name}.")


def _prompt(strategy: str) -> Prompt | None:
    try:
        return prompts.get(session(), prompts.INSTRUCTIONS + strategy)
    except NotFound:
        return None
