"""How models are called: one call, a judge's, and the question whether a model answers at all."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.config.kinds import Number, Section, Whole


class Calls(Section):
    """How a single model call behaves."""

    deadline_s: Annotated[Number, Field(gt=0, le=3600)] = 120.0
    """Total seconds for one sending of a call."""
    retries: Annotated[Whole, Field(ge=0, le=50)] = 5
    """Further sendings after a transient error."""
    backoff_s: Annotated[Number, Field(gt=0, le=60)] = 1.0
    """Seconds before the first retry; doubles each time, with jitter."""
    max_wait_s: Annotated[Number, Field(gt=0, le=3600)] = 60.0
    """Longest wait before a retry in seconds, also when a provider asks for more."""
    circuit_failures: Annotated[Whole, Field(ge=1, le=1000)] = 10
    """Calls that fail for good in a row, without one success, before the run pauses."""
    outage_retry_s: Annotated[Number, Field(ge=0, le=86_400)] = 60.0
    """Seconds until a run that an outage paused is tried again; doubles each time up to 30 minutes; 0 means by hand only."""
    on_uncertain: Literal["repeat", "ask", "skip"] = "repeat"
    """Calls that were cut off after sending, when a run goes on: repeat, ask (pause and ask a person), or skip."""


class Judge(Section):
    """How a judge model is called, which the scorer rubric asks."""

    temperature: Annotated[Number, Field(ge=0, le=2)] = 0.0
    """Temperature of the judge model."""
    max_output_tokens: Annotated[Whole, Field(ge=1, le=1_000_000)] = 2048
    """Most tokens of one judgement."""


class Access(Section):
    """How it is found out whether models answer."""

    before_runs: bool = True
    """Whether a training's models are asked for a few tokens before it is queued."""
    fresh_minutes: Annotated[Number, Field(ge=0, le=100_000)] = 60.0
    """Minutes for which an answer counts; then a model is asked again before a training."""
    deadline_s: Annotated[Number, Field(gt=0, le=600)] = 20.0
    """Longest wait for the answer, in seconds."""
    concurrency: Annotated[Whole, Field(ge=1, le=256)] = 16
    """Models that are asked at the same time."""
