"""The values that every kind of run is made of: candidates, cases, responses, scores."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, TypeAlias

from app.core.pictures import Picture
from app.ports.journal import CallResult, Outcome
from app.ports.llm import Json, Message, ModelRef, Price

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def digest(value: Json) -> str:
    """Content key of a JSON value: the first 32 hex digits of SHA-256 over its canonical form.

    Raises: ValueError for NaN or infinity, TypeError for what JSON cannot hold.
    """
    return hashlib.sha256(_canonical(value).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def model_ref(pinned: Json) -> ModelRef:
    """A model as a spec pins it, or as it is sent to another worker."""
    price = pinned.get("price")
    return ModelRef(
        pinned["name"],
        pinned["params"],
        pinned["api_base"],
        pinned.get("region", ""),
        Price(**price) if price else None,
        pinned.get("vision"),
    )


def called_as(pinned: Json) -> Json:
    """What makes two pinned models answer alike: everything that is sent, and where to. None when there is none."""
    if not pinned:
        return None
    model = model_ref(pinned)
    return [model.name, dict(model.params), model.api_base, model.region]


@dataclass(frozen=True)
class Candidate:
    """What is being compared: a prompt pair and the model that answers with it.

    output_prompt is the text appended after the case's input.
    """

    system_prompt: str
    output_prompt: str
    model: ModelRef

    @cached_property
    def digest(self) -> str:
        """Same text and settings, same digest."""
        model = self.model
        about = [self.system_prompt, self.output_prompt, model.name, dict(model.params), model.api_base]
        return digest([*about, model.region] if model.region else about)


@dataclass(frozen=True)
class Case:
    """One thing to answer. id: stable within the run; split: train, validation, test or "". picture: what is shown with it."""

    id: str
    input: str
    reference: str
    split: str = ""
    picture: Picture | None = None

    @cached_property
    def digest(self) -> str:
        """Same id, text and picture, same digest."""
        about = [self.id, self.input, self.reference]
        return digest([*about, self.picture.mark] if self.picture else about)


@dataclass(frozen=True)
class Response:
    """A candidate's answer to a case. outcome is "scored" when there is a text to score, else what came instead of one."""

    text: str
    outcome: Outcome = "scored"
    error: str = ""


@dataclass(frozen=True)
class Score:
    """value in [0, 1]; feedback: one sentence for the optimiser.

    parsed is False when the scorer could not read the answer; the sample then counts as parse_failed with score 0.
    """

    value: float
    feedback: str = ""
    parsed: bool = True
    parts: Mapping[str, float] = field(default_factory=dict)


class Unscored(Exception):
    """A scorer could not do its work on one answer: the sample has no score, and this outcome in place of one.

    outcome: "provider_error" when a judge could not be reached, "scoring_failed" when the scorer itself failed or its judge
    stayed unreadable. The message is fit for a page.
    """

    def __init__(self, outcome: Outcome, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


class Ask(Protocol):
    """One model call, journalled, budgeted, retried. Handed to responders, scorers and optimisers."""

    async def __call__(
        self, role: str, model: ModelRef, messages: Sequence[Message], response_schema: Json = None
    ) -> CallResult:
        """Buy one reply, or get back the one that was bought before.

        role: who pays: "primary", "optimizer" or "judge".
        Returns a result with error "" or one of "rejected", "content_filtered" or a transient label after the last retry.
        Raises: what halts the run (budget, pause, cancel, a provider that is down).
        """
        ...


class Responder(Protocol):
    """How a candidate answers a case."""

    @property
    def spec(self) -> Json:
        """What makes two responders the same, for content keys."""
        ...

    async def respond(self, candidate: Candidate, case: Case, ask: Ask) -> Response:
        """Answer one case."""
        ...


class Scorer(Protocol):
    """How a response is scored. Settings are checked in the constructor (ValueError names the setting)."""

    @property
    def spec(self) -> Json:
        """Name and settings, for content keys and for the page: {"name": ..., **settings}."""
        ...

    def longest(self, case: Case) -> Sequence[tuple[ModelRef, Sequence[Message]]]:
        """For each model that is asked about an answer to this case, the most that one call can ask."""
        ...

    async def score(self, case: Case, response: Response, ask: Ask) -> Score:
        """Score one answer against case.reference. Raises: Unscored, and what ``ask`` raises."""
        ...


@dataclass(frozen=True)
class Exam:
    """How candidates are examined: who answers, who scores.

    looked: hidden splits whose answers were all given before, so that reading them again shows nothing new, each with the
    number of the comparison that was made then.
    """

    responder: Responder
    scorer: Scorer
    looked: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """Same responder and scorer settings, same digest."""
        return digest([self.responder.spec, self.scorer.spec])


Work: TypeAlias = Callable[[Ask], Awaitable[Json]]
"""The body of a step: gets its own ask, returns what is to be recorded."""
