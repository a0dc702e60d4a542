"""What a benchmark is asked for with: the same field names and ranges at every door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from app.config import Settings
from app.core.review import LETTERS
from app.ports.llm import Json
from app.services.errors import Problem
from app.services.training.form import BLANK

MOST_MODELS = len(LETTERS)
"""A reviewer tells answers apart by one letter each."""


class BenchmarkForm(BaseModel):
    """What a benchmark is asked for with. Blank means the default."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, str_strip_whitespace=False)

    prompts: list[str] = Field(default_factory=list, max_length=500)
    """Prompts of the library, each as name, name@version or name@label."""
    text: str = Field("", max_length=200_000)
    """A prompt of one's own."""
    jsonl: str = Field("", max_length=8_000_000)
    """Prompts as JSON lines: {"prompt": ...}, {"turns": [...]} (the first one counts) or {"messages": [...]}."""
    first: int | None = Field(None, ge=1, le=100_000)
    """Only so many prompts of jsonl."""
    dataset: str = ""
    """Its columns fill in {{variables}}."""
    rows: int | None = Field(None, ge=1, le=100_000)
    """Only so many rows of the dataset."""
    models: Annotated[list[str], Field(max_length=MOST_MODELS)] = Field(default_factory=list)
    """Models or config:NAME; none for every active config."""
    review_prompt: str = ""
    reviewer_model: str = ""
    runs: int = Field(1, ge=1, le=10)
    repeats: int = Field(1, ge=1, le=20)
    scorer: list[str] = Field(default_factory=list)
    temperature: float = Field(ge=0, le=2)
    max_output_tokens: int = Field(ge=1, le=1_000_000)
    concurrency: int = Field(ge=1, le=1000)
    seed: int = Field(ge=0, le=2**31 - 1)
    budget_usd: float | None = Field(None, gt=0, le=1e9)
    budget_calls: int | None = Field(None, ge=1, le=10**12)
    budget_tokens: int | None = Field(None, ge=1, le=10**12)
    budget_minutes: float | None = Field(None, gt=0, le=1e7)
    cache: Literal["reuse", "off"]
    on_uncertain: Literal["repeat", "ask", "skip"]

    @field_validator("prompts", "models", "scorer", mode="before")
    @classmethod
    def _one(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("prompts", "models", mode="after")
    @classmethod
    def _distinct(cls, value: list[str]) -> list[str]:
        return list(dict.fromkeys(name.strip() for name in value if name.strip()))


def defaults(settings: Settings) -> dict[str, Json]:
    """The form's values before a person changes anything."""
    training, budget = settings.training, settings.budget
    return {
        "temperature": training.temperature,
        "max_output_tokens": training.max_output_tokens,
        "concurrency": training.concurrency,
        "seed": training.seed,
        "budget_usd": budget.usd,
        "budget_calls": budget.calls,
        "budget_tokens": budget.tokens,
        "budget_minutes": budget.minutes,
        "cache": training.cache,
        "on_uncertain": settings.calls.on_uncertain,
    }


def read(raw: Mapping[str, object], settings: Settings) -> tuple[BenchmarkForm, list[Problem]]:
    """The form with defaults for what was left blank, and what is wrong with the rest, which then has its default too."""
    given = {key: value for key, value in raw.items() if value not in BLANK}
    known = defaults(settings)
    try:
        return BenchmarkForm.model_validate(known | given), []
    except ValidationError as error:
        problems = [_problem(dict(one)) for one in error.errors()]
    wrong = {problem.field for problem in problems}
    return BenchmarkForm.model_validate(known | {k: v for k, v in given.items() if k not in wrong}), problems


def _problem(error: Mapping[str, Json]) -> Problem:
    field = str(error["loc"][0]) if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        return Problem(field, f"there is no setting called {field}")
    if field == "models" and error["type"] == "too_long":
        return Problem(field, f"a reviewer can compare at most {MOST_MODELS} configs")
    return Problem(field, f"{error['msg'].replace('Input should', 'must')}, not {str(error['input'])[:80]!r}")


def as_form(spec: Json) -> dict[str, Json]:
    """The form that a spec came from, for cloning."""
    form = dict(spec["form"])
    pinned = [f"{one['prompt']}@{one['version']}" for one in spec["cases"] if one.get("prompt")]
    form["prompts"] = list(dict.fromkeys(pinned))
    form["models"] = [f"config:{one['label']}" if one.get("config") else one["label"] for one in spec["configs"]]
    return form | {f"budget_{key}": value for key, value in spec["budget"].items()}
