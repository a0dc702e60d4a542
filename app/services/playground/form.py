"""What a try is asked for with: the same field names and ranges at every door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.config import Settings
from app.ports.llm import Json
from app.services.errors import Problem

LONGEST = 200_000
LONGEST_NAME = 400
MOST_MODELS = 6
BLANK: tuple[object, ...] = (None, "", [], {})


class TryForm(BaseModel):
    """What a try is asked for with. Blank means the default."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    models: list[Annotated[str, Field(max_length=LONGEST_NAME)]] = Field(default_factory=list)
    """One to MOST_MODELS models (provider/model) or configs (config:NAME), each once."""
    prompt: str = Field("", max_length=LONGEST_NAME)
    """A prompt of the library, as name or name@version-or-label, in place of the texts below."""
    system_prompt: str = Field("", max_length=LONGEST)
    output_prompt: str = Field("", max_length=LONGEST)
    messages: list[dict[str, str]] = Field(default_factory=list)
    """A chat, in place of system and output prompt."""
    variables: dict[str, str] = Field(default_factory=dict)
    """Values of the {{variables}} that the texts refer to; {{input}} is the input."""
    input: str = Field("", max_length=LONGEST)
    temperature: float = Field(ge=0, le=2)
    max_output_tokens: int = Field(ge=1, le=1_000_000)


def defaults(settings: Settings) -> dict[str, Json]:
    """The values before a person changes anything."""
    training = settings.training
    return {"temperature": training.temperature, "max_output_tokens": training.max_output_tokens}


def read(raw: Mapping[str, object], settings: Settings) -> tuple[TryForm, list[Problem]]:
    """The form with defaults for what was left blank, and what is wrong with the rest, which then has its default too."""
    given = {key: value for key, value in raw.items() if value not in BLANK}
    if isinstance(given.get("models"), str):
        given["models"] = [given["models"]]
    try:
        return TryForm.model_validate(defaults(settings) | given), []
    except ValidationError as error:
        problems = [_problem(one["type"], one["loc"], one["msg"], one["input"]) for one in error.errors()]
    wrong = {problem.field for problem in problems}
    sound = {key: value for key, value in given.items() if key not in wrong}
    return TryForm.model_validate(defaults(settings) | sound), problems


def _problem(kind: str, place: tuple[int | str, ...], message: str, value: object) -> Problem:
    field = str(place[0]) if place else ""
    if kind == "extra_forbidden":
        return Problem(field, f"there is no setting called {field[:60]}")
    if kind == "string_too_long":
        most = LONGEST_NAME if field in ("models", "prompt") else LONGEST
        return Problem(field, f"has {len(str(value)):,} characters, at most {most:,} are allowed")
    return Problem(field, f"{message.replace('Input should', 'must')}, not {str(value)[:80]!r}")
