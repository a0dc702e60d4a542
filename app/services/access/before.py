"""Before a run is queued: its models are asked whether they answer, unless that is known from just before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.config import Access
from app.ports.llm import Json, ModelRef
from app.services.access.known import LASTING, State, ask_for, states
from app.services.access.target import Target
from app.services.errors import Invalid, Problem

_FIELDS = {"primary": "primary_model", "optimizer": "optimizer_model", "judge": "judge_model"}


@dataclass(frozen=True, slots=True)
class Silent:
    """A model of a run that does not answer. passing: another try may succeed, so that the run may begin."""

    role: str
    state: State

    @property
    def passing(self) -> bool:
        """Whether the run may begin all the same: it waits and tries again."""
        return self.state.outcome not in LASTING

    @property
    def sentence(self) -> str:
        """In words for whoever starts the run."""
        return f"{self.state.target.model} does not answer: {self.state.words}"


def of_spec(spec: Json) -> dict[str, Target]:
    """The targets of a pinned spec by role."""
    found = {}
    for role in _FIELDS:
        if model := spec.get(role):
            ref = ModelRef(model["name"], model["params"], model["api_base"], model.get("region", ""))
            found[role] = Target.of(ref)
    return found


def silent(session: Session, spec: Json, settings: Access, ask: Callable[[Sequence[Target]], None]) -> list[Silent]:
    """The models of a run that do not answer; those of which nothing fresh is known are asked. ask: checks and waits.

    Simulated models need no call. A check that did not come to its end says nothing against a model.
    """
    if not settings.before_runs:
        return []
    targets = {role: target for role, target in of_spec(spec).items() if not target.simulated}
    stale = [state.target for state in states(session, targets.values()) if not state.fresh(settings)]
    if stale:
        ask_for(session, stale)
        ask(stale)
        session.expire_all()
    known = {state.target: state for state in states(session, targets.values())}
    return [
        Silent(role, state)
        for role, target in targets.items()
        if (state := known[target]).outcome and not state.answers and not state.awaited
    ]


def refuse(found: Sequence[Silent], how_to_skip: str) -> None:
    """Refuse a run of which a model will not answer. how_to_skip: what a person does to start it all the same.

    Raises: Invalid.
    """
    lasting = [one for one in found if not one.passing]
    if lasting:
        raise Invalid([Problem(_FIELDS[one.role], f"{one.sentence} ({how_to_skip})") for one in lasting])
