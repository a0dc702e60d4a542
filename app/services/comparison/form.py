"""What prompts are compared, and on what, as a person asks for it: the same field names at every door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.config import Settings
from app.core.kinds.compare import PARTS
from app.core.responders.single_turn import PLACEHOLDERS
from app.core.templates import placeholders
from app.ports.llm import Json
from app.services import prompts
from app.services.comparison.sides import FEWEST, MOST, side
from app.services.errors import Invalid, NotFound, Problem
from app.services.training.form import BLANK, as_form
from app.services.training.form import defaults as of_training
from app.store.models import PromptVersion

FIELDS = (
    "dataset", "part", "split", "seed", "primary_model", "api_base", "temperature", "max_output_tokens", "scorer",
    "judge_model", "judge_api_base", "alpha", "repeats", "concurrency", "target_rpm", "cache", "on_uncertain",
    "budget_usd", "budget_calls", "budget_tokens", "budget_minutes",
)  # fmt: skip
"""What may be asked for beside the versions; the meanings are those of a training's fields."""
_SEARCH = ("strategy", "acceptance", "epochs", "batch_size", "patience", "max_prompt_chars", "min_delta")
"""What the spec of a training says beyond that of a comparison."""
VERSION = "version"
"""What the doors call one of the versions: NAME@NUMBER-or-label of the library, or RUN:NUMBER of a run."""


@dataclass(frozen=True, slots=True)
class Text:
    """A version as it is measured. name: what people call it; said: how it was asked for."""

    name: str
    said: str
    system_prompt: str
    output_prompt: str

    def as_json(self) -> Json:
        """For the spec."""
        return {one: getattr(self, one) for one in ("name", "said", "system_prompt", "output_prompt")}


def defaults(settings: Settings) -> dict[str, Json]:
    """The form's values before a person changes anything."""
    known = of_training(settings)
    return {name: known.get(name) for name in FIELDS} | {"part": PARTS[0]}


def of_run(spec: Json) -> dict[str, Json]:
    """The fields that ask for the same comparison again, its versions included."""
    known = as_form(dict.fromkeys(_SEARCH) | {"instructions": "", "conflicts": "allow"} | spec)
    asked = {name: known.get(name) for name in FIELDS} | {"part": spec["part"]}
    return asked | {VERSION: [one["said"] for one in spec["candidates"]]}


def checked_part(raw: Mapping[str, object], problems: list[Problem]) -> str:
    """What of the dataset is asked for."""
    part = raw.get("part")
    if part in BLANK:
        return PARTS[0]
    if part not in PARTS:
        problems.append(Problem("part", f"must be one of {', '.join(PARTS)}, not {str(part)[:40]!r}"))
    return str(part)


def texts_of(session: Session, raw: Mapping[str, object], problems: list[Problem]) -> list[Text]:
    """The versions that are asked for, in their order; what is wrong with one names its place."""
    given = raw.get(VERSION) or []
    listed: Sequence[object] = (
        [given] if isinstance(given, str) else list(given) if isinstance(given, list | tuple) else []
    )
    named = [str(one).strip() for one in listed if str(one).strip()]
    if not FEWEST <= len(named) <= MOST:
        problems.append(Problem(VERSION, f"choose {FEWEST} to {MOST} versions; these are {len(named)}"))
        return []
    found: dict[tuple[str, str], Text] = {}
    for number, said in enumerate(named):
        try:
            text = _text(session, said)
        except (Invalid, NotFound) as error:
            words = error.problems[0].message if isinstance(error, Invalid) else str(error)
            problems.append(Problem(f"{VERSION}-{number}", words))
            continue
        same = found.setdefault((text.system_prompt, text.output_prompt), text)
        if same is not text:
            problems.append(Problem(f"{VERSION}-{number}", f"{text.name} has the same text as {same.name}"))
    return list(found.values())


def _text(session: Session, said: str) -> Text:
    """Raises: NotFound, Invalid."""
    if "@" not in said and ":" in said:
        chosen = side(session, said)
        run, version = chosen.run, chosen.version
        return _usable(
            Text(f"{run.name or run.id}, {chosen.title}", said, version.system_prompt, version.output_prompt)
        )
    name, _, which = said.partition("@")
    version_ = prompts.version(session, prompts.get(session, name), which)
    label = f", {which}" if which and not which.isdigit() else ""
    title = f"{version_.prompt.name}, version {version_.number}{label}"
    return _usable(Text(title, f"{version_.prompt.name}@{version_.number}", *_pair(version_)))


def _pair(version: PromptVersion) -> tuple[str, str]:
    """A version as system and output prompt; a chat of one system and one user message, or one alone, can be told so."""
    if version.prompt.kind == "pair":
        return version.system_prompt, version.output_prompt
    roles = [one["role"] for one in version.messages]
    if roles not in (["system", "user"], ["user"], ["system"]):
        told = "it is a chat of several turns; only a system and a user message can be measured on a dataset"
        raise Invalid([Problem(VERSION, told)])
    by_role = {one["role"]: one["content"] for one in version.messages}
    return by_role.get("system", ""), by_role.get("user", "")


def _usable(text: Text) -> Text:
    """Raises: Invalid for a text that refers to what no example fills in."""
    for name in placeholders(f"{text.system_prompt}\n{text.output_prompt}"):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{{{one}}}}}" for one in PLACEHOLDERS)
            told = f"{text.name} refers to {{{{{name}}}}}, which no example fills in; known: {known}"
            raise Invalid([Problem(VERSION, told)])
    return text
