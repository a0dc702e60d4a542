"""Runs of any kind: what was asked, how it came out, what it has cost."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from app.api.shapes.base import Shape, Time


class Run(Shape):
    """A run; outcome belongs to its kind."""

    id: str
    kind: str
    name: str
    status: str
    reason: str
    wish: str
    simulated: bool
    dataset: str | None
    prompt: str | None
    cloned_from: str | None
    origin: str | None
    imported_at: Time | None
    resume_at: Time | None
    created_at: Time
    started_at: Time | None
    ended_at: Time | None
    calls_pruned_at: Time | None
    outcome: Any


class Spent(Shape):
    """What a run has used; the true cost lies between the two, and both are null while a price is unknown."""

    calls: int
    tokens: int
    cost_usd: float | None
    cost_high_usd: float | None
    unpriced_calls: int
    uncertain_calls: int
    uncertain_usd: float
    open_calls: int
    cached_calls: int
    saved_usd: float


class FullRun(Run):
    """A run with what was asked, what it has spent and how far it is."""

    spec: Any
    spent: Spent
    progress: Any


class ImportedRun(Run):
    """A run that was imported. already: it was here, and nothing was imported."""

    already: bool


class RunFields(Shape):
    """The fields that start a run again: those of its form."""

    model_config = ConfigDict(extra="allow")

    dataset: str


class StartedRun(Run):
    """A run that was queued. hinted: false when Redis is away; it then waits in the database."""

    hinted: bool
    adjustments: Any = None


class Result(Spent):
    """How a run came out, on the sealed test alone; more keys belong to its kind."""

    model_config = ConfigDict(extra="allow")

    run: str
    status: str
    reason: str
    verdict: str | None
    sentence: str | None
    simulated: bool


class Bill(Spent):
    """What a run has cost, by role and model and by day, how its calls kept to the rate limits, and how fast they were."""

    model_config = ConfigDict(extra="allow")

    run: str
    simulated: bool
    known_usd: float
    by_model: list[Any]
    by_day: list[Any]
    rates: list[Any]
    speed: list[Any]


class Event(Shape):
    """Something that happened. note: its number in the history, null for what was only told to watchers."""

    id: int
    note: int | None
    name: str
    data: Any
    at: Time


class Sample(Shape):
    """One candidate's answer to one case, with its score."""

    model_config = ConfigDict(extra="allow")

    id: int
    candidate: str
    case: str
    repeat: int
    split: str
    outcome: str
    score: float | None
    feedback: str
    response: str
    error: str
    calls: int
    tokens: int
    cost_usd: float | None
    seconds: float | None


class Unprocessed(Sample):
    """An answer without a score. retries: how often it was asked again."""

    retries: int


class Resumed(Shape):
    """What becomes of calls that were cut off after sending."""

    uncertain: Literal["", "repeat", "skip"] = ""


class Folder(Shape):
    """Where a run was written to, on the server."""

    folder: str


class Spending(Shape):
    """What all runs have used, real and simulated money apart."""

    model_config = ConfigDict(populate_by_name=True, extra="forbid")

    first: str = Field(alias="from")
    last: str = Field(alias="to")
    real: Any
    simulated: Any
