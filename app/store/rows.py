"""A journal's writes as rows, made final when they are handed over: later changes of a value do not reach the record.

Rows are plain tuples for the driver. Building column values through SQLAlchemy took most of a worker's time at 256 calls
under way.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

from app.core.storable import storable, storable_json
from app.ports.journal import CallIntent, CallResult, Sample, Step
from app.ports.llm import Json
from app.store.types import dumps

Kind: TypeAlias = Literal["intent", "result", "sample", "step", "look", "event"]

MODEL_CHARS = 200
"""Room for the name that a provider gives its model; it is not ours to trust."""
LANE_CHARS = 250

INTENT_COLUMNS = (
    "run_id",
    "key",
    "attempts",
    "role",
    "model",
    "request",
    "reserved_usd",
    "uncertain",
    "cache_key",
    "lane",
)
RESULT_COLUMNS = (
    "text",
    "error",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cached_tokens",
    "tokens_estimated",
    "cost_usd",
    "ttft_s",
    "ttlb_s",
    "served_model",
    "raw",
    "retries",
    "wait_s",
    "uncertain",
    "throttled_s",
    "limited",
    "cached",
)
SAMPLE_COLUMNS = (
    "run_id",
    "key",
    "candidate",
    "case",
    "repeat",
    "split",
    "outcome",
    "score",
    "feedback",
    "response",
    "scores",
    "error",
    "calls",
    "tokens",
    "cost_usd",
    "seconds",
)
STEP_COLUMNS = ("run_id", "key", "value")
EVENT_COLUMNS = ("run_id", "note", "name", "data")


class Write(NamedTuple):
    """One row. key: the call's, for intents and results; "" for the others, whose order among each other is enough."""

    kind: Kind
    key: str
    values: tuple[Any, ...]


def intent(run_id: str, intent: CallIntent) -> Write:
    """A call that is about to be sent."""
    values = (
        run_id,
        intent.key,
        intent.attempt,
        intent.role,
        intent.model,
        dumps(intent.request),
        intent.reserved_usd,
        intent.uncertain,
        intent.cache_key,
        storable(intent.lane[:LANE_CHARS]),
    )
    return Write("intent", intent.key, values)


def result(run_id: str, key: str, result: CallResult) -> Write:
    """The end of a call; the last two values say which."""
    usage = result.usage
    values = (
        storable(result.text),
        result.error,
        result.finish_reason,
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.reasoning_tokens,
        usage.cached_tokens,
        usage.estimated,
        result.cost_usd,
        result.ttft_s,
        result.ttlb_s,
        storable(result.served_model[:MODEL_CHARS]),
        dumps(result.raw),
        result.retries,
        result.wait_s,
        result.uncertain,
        result.throttled_s,
        result.limited,
        result.cached,
        run_id,
        key,
    )
    return Write("result", key, values)


def sample(run_id: str, sample: Sample) -> Write:
    """A finished sample."""
    values = (
        run_id,
        sample.key,
        sample.candidate,
        sample.case,
        sample.repeat,
        sample.split,
        sample.outcome,
        sample.score,
        storable(sample.feedback),
        storable(sample.response),
        dumps(sample.scores),
        storable(sample.error),
        sample.calls,
        sample.tokens,
        sample.cost_usd,
        sample.seconds,
    )
    return Write("sample", "", values)


def step(run_id: str, step: Step) -> Write:
    """A finished step."""
    return Write("step", "", (run_id, step.key, dumps(storable_json(step.value))))


def look(run_id: str, split: str, candidate: str) -> Write:
    """A candidate about to be measured on a hidden split."""
    return Write("look", "", (split, candidate, run_id))


def event(run_id: str, number: int | None, name: str, data: Json) -> Write:
    """A note, or what was only told when number is None."""
    return Write("event", "", (run_id, number, name, dumps(storable_json(data))))
