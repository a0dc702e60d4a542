"""Whether a review prompt can be used: what is wrong with it, and what may be meant otherwise, each told with its field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.core.review import CRITERIA, NEEDED, PLACEHOLDERS, Rubric
from app.core.templates import placeholders
from app.ports.llm import Json
from app.services.errors import Problem

MOST_CRITERIA = 12
LONG = 8_000
"""Characters from which on a template is called long: it is read again for every prompt."""
_NAME = re.compile(r"[A-Za-z][\w -]{0,39}")
_SINGLE = re.compile(r"(?<!\{)\{(" + "|".join(PLACEHOLDERS) + r")\}(?!\})")
KNOWN = frozenset({"criteria", "scale", "details", "model"})


@dataclass(frozen=True)
class Checked:
    """A review prompt that was looked at. rubric: None with errors. model: of the reviewer, "" for the benchmark's choice."""

    rubric: Rubric | None
    model: str
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def check(template: str, settings: str) -> Checked:
    """Look at a review prompt. settings: its criteria, scale, details and model as JSON, "" for the defaults."""
    errors = list(_about_template(template))
    said, wrong = _read(settings)
    errors += wrong
    criteria, more = _criteria(said.get("criteria"))
    scale, scale_wrong = _scale(said.get("scale", [1, 10]))
    errors += [*more, *scale_wrong]
    details, model = said.get("details", True), said.get("model", "")
    if not isinstance(details, bool):
        errors.append(Problem("details", "must be true or false"))
    if not isinstance(model, str):
        errors.append(Problem("model", "must be the name of a model"))
    warnings = tuple(_warnings(template, scale))
    if errors:
        return Checked(None, "", tuple(errors), warnings)
    return Checked(Rubric(template, criteria, *scale, details), model.strip(), (), warnings)


def _about_template(template: str) -> Iterator[Problem]:
    if not template.strip():
        yield Problem("template", "write what the reviewer is asked")
        return
    used = placeholders(template)
    if unknown := [name for name in used if name not in PLACEHOLDERS]:
        yield Problem("template", f"{_braced(unknown)} is filled in by nothing; known: {_braced(PLACEHOLDERS)}")
    if missing := [name for name in NEEDED if name not in used]:
        yield Problem("template", f"{_braced(missing)} must occur, else the reviewer does not see it")


def _warnings(template: str, scale: tuple[int, int]) -> Iterator[Problem]:
    used = placeholders(template)
    for name in dict.fromkeys(_SINGLE.findall(template)):
        yield Problem("template", f"{{{name}}} stays as it is; a placeholder has two braces: {{{{{name}}}}}")
    if "criteria" not in used and template.strip():
        yield Problem("template", "{{criteria}} does not occur, so the criteria are added at the end")
    if "reply_format" not in used and template.strip():
        yield Problem("template", "{{reply_format}} does not occur, so the form of the reply is added at the end")
    if scale[1] - scale[0] < 2:
        yield Problem("scale", "a scale of two steps tells answers apart badly")
    if len(template) > LONG:
        yield Problem("template", f"it has {len(template):,} characters, which every review pays for")


def _read(settings: str) -> tuple[Mapping[str, Json], list[Problem]]:
    if not settings.strip():
        return {}, []
    try:
        said = json.loads(settings)
    except (ValueError, RecursionError) as error:
        return {}, [Problem("settings", f"the settings are not JSON: {error}")]
    if not isinstance(said, dict):
        return {}, [Problem("settings", "the settings must be a JSON object")]
    unknown = [key for key in said if key not in KNOWN]
    wrong = [
        Problem("settings", f"there is no setting {key[:40]!r}; known: {', '.join(sorted(KNOWN))}") for key in unknown
    ]
    return said, wrong


def _criteria(said: Json) -> tuple[tuple[tuple[str, str], ...], list[Problem]]:
    if said is None:
        return CRITERIA, []
    if not isinstance(said, dict) or not all(isinstance(meaning, str) for meaning in said.values()):
        return CRITERIA, [
            Problem("criteria", 'must be names with their meanings, {"accuracy": "what it says is right"}')
        ]
    if not 1 <= len(said) <= MOST_CRITERIA:
        return CRITERIA, [Problem("criteria", f"name from 1 to {MOST_CRITERIA} criteria, one a line")]
    wrong = [
        Problem("criteria", f"{name[:40]!r} is not a possible name: use letters, digits, spaces, _ and -")
        for name in said
        if not _NAME.fullmatch(name)
    ]
    return tuple((name, meaning.strip()) for name, meaning in said.items()), wrong


def _scale(said: Json) -> tuple[tuple[int, int], list[Problem]]:
    ok = isinstance(said, list) and len(said) == 2 and all(isinstance(n, int) and not isinstance(n, bool) for n in said)
    if ok and 0 <= said[0] < said[1] <= 100:
        return (said[0], said[1]), []
    return (1, 10), [Problem("scale", "must be two whole numbers from 0 to 100, the lower one first, as 1-10")]


def _braced(names: object) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in names)  # type: ignore[attr-defined]
