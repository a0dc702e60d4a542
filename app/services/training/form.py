"""What a training is asked for with: the same field names and ranges at every door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from app.config import Settings
from app.core import scorers
from app.ports.llm import Json
from app.services.errors import Problem
from app.services.training.models import ROLES, asked_of

BLANK: tuple[object, ...] = (None, "", [])


class TrainingForm(BaseModel):
    """What a training is asked for with, the same names at every door. Blank means the default."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, str_strip_whitespace=False)

    dataset: str = ""
    prompt: str = ""
    """Name of a library prompt, as name or name@version-or-label; with own text below, the new versions go there."""
    system_prompt: str = Field("", max_length=200_000)
    output_prompt: str = Field("", max_length=200_000)
    primary_model: str = Field(min_length=1)
    optimizer_model: str = ""
    judge_model: str = ""
    api_base: str = ""
    optimizer_api_base: str = ""
    judge_api_base: str = ""
    temperature: float = Field(ge=0, le=2)
    optimizer_temperature: float = Field(ge=0, le=2)
    max_output_tokens: int = Field(ge=1, le=1_000_000)
    scorer: list[str]
    strategy: str
    acceptance: Literal["improvement", "confidence"]
    alpha: float = Field(gt=0, le=0.5)
    min_improvement: float = Field(ge=0, lt=1)
    epochs: int = Field(ge=1, le=1000)
    batch_size: int = Field(ge=1, le=10_000)
    patience: int = Field(ge=1, le=1000)
    repeats: int = Field(ge=1, le=20)
    concurrency: int = Field(ge=1, le=1000)
    split: Annotated[str, Field(pattern=r"^\d{1,3}/\d{1,3}/\d{1,3}$")]
    seed: int = Field(ge=0, le=2**31 - 1)
    max_prompt_tokens: int | None = Field(ge=25, le=1_000_000)
    max_prompt_chars: int | None = Field(ge=100, le=1_000_000)
    """Given without max_prompt_tokens it stands in their place."""
    locked: str = Field("", max_length=200_000)
    """Texts of the prompts that no proposal may touch; see app.core.optimizers.locks.read_locked."""
    shorten: Literal["off", "offer"]
    shorten_margin: float = Field(gt=0, le=0.5)
    shorten_answers: int = Field(ge=1, le=10_000_000)
    conflicts: Literal["refuse", "allow"] = "refuse"
    budget_usd: float | None = Field(None, gt=0, le=1e9)
    budget_calls: int | None = Field(None, ge=1, le=10**12)
    budget_tokens: int | None = Field(None, ge=1, le=10**12)
    budget_minutes: float | None = Field(None, gt=0, le=1e7)
    stop_above_usd_per_point: float | None = Field(None, gt=0, le=1e9)
    worth_points: float = Field(gt=0, lt=100)
    pilot_examples: int = Field(ge=2, le=1000)
    instructions: str = Field("", max_length=200_000)
    target_rpm: float | None = Field(None, gt=0, le=1e6)
    """Requests per minute of the primary model, in place of the operator's rate limit."""
    cache: Literal["reuse", "off"]
    on_uncertain: Literal["repeat", "ask", "skip"]

    @field_validator("scorer", mode="before")
    @classmethod
    def _one_scorer(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("locked", mode="before")
    @classmethod
    def _one_text(cls, value: object) -> object:
        listed = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
        return "\n\n".join(value) if isinstance(value, list | tuple) and listed else value

    @property
    def ratios(self) -> tuple[int, int, int]:
        """Shares of train, validation and test."""
        train, validation, test = (int(part) for part in self.split.split("/"))
        return train, validation, test


def defaults(settings: Settings) -> dict[str, Json]:
    """The form's values before a person changes anything."""
    training, optimizer, budget = settings.training, settings.optimizer, settings.budget
    return {
        "primary_model": settings.primary_model,
        "optimizer_model": settings.optimizer_model,
        "judge_model": settings.judge_model,
        "temperature": training.temperature,
        "optimizer_temperature": optimizer.temperature,
        "max_output_tokens": training.max_output_tokens,
        "scorer": [training.scorer],
        "strategy": optimizer.strategy,
        "acceptance": training.acceptance,
        "alpha": training.alpha,
        "min_improvement": training.min_improvement,
        "epochs": training.epochs,
        "batch_size": training.batch_size,
        "patience": training.patience,
        "repeats": training.repeats,
        "concurrency": training.concurrency,
        "split": training.split,
        "seed": training.seed,
        "max_prompt_tokens": None if training.max_prompt_chars else training.max_prompt_tokens,
        "max_prompt_chars": training.max_prompt_chars,
        "shorten": training.shorten,
        "shorten_margin": training.shorten_margin,
        "shorten_answers": training.shorten_answers,
        "budget_usd": budget.usd,
        "budget_calls": budget.calls,
        "budget_tokens": budget.tokens,
        "budget_minutes": budget.minutes,
        "stop_above_usd_per_point": budget.stop_above_usd_per_point,
        "worth_points": training.worth_points,
        "pilot_examples": training.pilot_examples,
        "cache": training.cache,
        "on_uncertain": settings.calls.on_uncertain,
    }


def read(raw: Mapping[str, object], settings: Settings) -> tuple[TrainingForm, list[Problem]]:
    """The form with defaults for what was left blank, and what is wrong with the rest, which then has its default too."""
    given = {key: value for key, value in raw.items() if value not in BLANK}
    known = defaults(settings)
    if "max_prompt_chars" in given or "max_prompt_tokens" in given:  # one of them replaces the default of the other
        known |= {"max_prompt_chars": None, "max_prompt_tokens": None}
    try:
        return TrainingForm.model_validate(known | given), []
    except ValidationError as error:
        problems = _sentences(error)
    wrong = {problem.field for problem in problems}
    sound = {key: value for key, value in given.items() if key not in wrong}
    return TrainingForm.model_validate(known | sound), problems


def _sentences(error: ValidationError) -> list[Problem]:
    problems = []
    for one in error.errors():
        field = str(one["loc"][0]) if one["loc"] else ""
        if one["type"] == "extra_forbidden":
            problems.append(Problem(field, f"there is no setting called {field}"))
        elif field == "split":
            problems.append(Problem(field, "write three shares in percent, as 60/20/20"))
        else:
            message = one["msg"].replace("Input should", "must")
            problems.append(Problem(field, f"{message}, not {str(one['input'])[:80]!r}"))
    return problems


def as_form(spec: Json) -> dict[str, Json]:
    """The form that a spec came from, for cloning."""
    budget = {f"budget_{key}": value for key, value in spec["budget"].items()}
    absent: Json = {"name": "", "params": {}, "api_base": None}
    primary, optimizer, judge = (asked_of(spec.get(role) or absent) for role in ROLES)
    same = "system_prompt output_prompt prompt strategy acceptance alpha epochs batch_size patience concurrency seed "
    same += "max_prompt_chars instructions"
    calls = spec["calls"]
    later = ("stop_above_usd_per_point", "worth_points", "pilot_examples")  # not in specs of the first releases
    return {key: spec[key] for key in same.split()} | {
        **{key: spec.get(key) for key in later},
        "repeats": spec.get("repeats", 1),
        "max_prompt_tokens": spec.get("max_prompt_tokens"),
        "locked": "\n\n".join(spec.get("locked", ())),
        "shorten": spec.get("shorten", "off"),
        "shorten_margin": spec.get("shorten_margin"),
        "shorten_answers": spec.get("shorten_answers"),
        "cache": spec.get("cache", "off"),
        "on_uncertain": calls.get("on_uncertain", "repeat"),
        "target_rpm": calls.get("target_rpm"),
        "dataset": spec["dataset"]["name"],
        "conflicts": spec["conflicts"],
        "primary_model": primary["model"],
        "api_base": primary["api_base"],
        "temperature": primary["temperature"],
        "max_output_tokens": primary["max_output_tokens"],
        "optimizer_model": optimizer["model"],
        "optimizer_api_base": optimizer["api_base"],
        "optimizer_temperature": optimizer["temperature"],
        "judge_model": judge["model"],
        "judge_api_base": judge["api_base"],
        "scorer": [scorers.format(one) for one in spec["scorers"]],
        "min_improvement": spec["min_delta"],
        "split": "/".join(str(part) for part in spec["split"]["ratios"]),
        **budget,
    }
