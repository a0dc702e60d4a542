"""Review prompts: those that ship with the product, and a person's own, which are library prompts of the category review.

A version's system prompt is the template of what the reviewer is asked; its output prompt holds criteria, scale, details and
model as JSON. A library prompt with the name of a shipped one takes its place.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.review import Rubric
from app.ports.llm import Json
from app.services import prompts
from app.services.errors import Conflict, Invalid, NotFound, Problem
from app.services.prompts import instructions
from app.services.reviews.checks import Checked, check
from app.store.models import Prompt, Run

CATEGORY = "review"
PREFIX = "review/"
DEFAULT = "review/overall"
NONE = "none"
"""In place of a name: no review."""


@dataclass(frozen=True)
class ReviewPrompt:
    """One version of a review prompt. version: 0 for one that ships with the product. prompt: its row, None for a shipped one.

    settings: criteria, scale, details and model as JSON text.
    """

    name: str
    description: str
    version: int
    template: str
    settings: str
    prompt: Prompt | None = None

    @property
    def checked(self) -> Checked:
        """What stands against it."""
        return check(self.template, self.settings)


@dataclass(frozen=True)
class Usage:
    """Benchmarks that name a review prompt, in any version. last: when the newest of them was made."""

    runs: int = 0
    last: dt.datetime | None = None


def list_all(session: Session, search: str = "") -> list[ReviewPrompt]:
    """By name. search: words that must each occur in name, description, category or tags."""
    own = [_newest(p) for p in prompts.list_prompts(session, search) if p.category == CATEGORY and p.kind == "pair"]
    taken = {one.name for one in own}
    shipped = [one for one in _shipped() if one.name not in taken and not _named(session, one.name)]
    words = search.casefold().split()
    fitting = [one for one in shipped if all(word in f"{one.name} {one.description}".casefold() for word in words)]
    return sorted([*own, *fitting], key=lambda one: one.name)


def get(session: Session, reference: str) -> ReviewPrompt:
    """By name, name@version or name@label; without a version the one labelled production, else the newest. Raises: NotFound."""
    name, _, which = reference.partition("@")
    found = _named(session, name)
    if found is None:
        shipped = next((one for one in _shipped() if one.name == name), None)
        if shipped is None or which:
            raise NotFound(f"there is no review prompt called {reference[:200]!r}; see the list of review prompts")
        return shipped
    if not which and any(one.label == "production" for one in found.labels):
        which = "production"
    row = prompts.version(session, found, which)
    return ReviewPrompt(name, found.description, row.number, row.system_prompt, row.output_prompt, found)


def _named(session: Session, name: str) -> Prompt | None:
    try:
        found = prompts.get(session, name)
    except NotFound:
        return None
    return found if found.category == CATEGORY and found.kind == "pair" else None


def _newest(prompt: Prompt) -> ReviewPrompt:
    row = prompts.head(prompt)
    return ReviewPrompt(prompt.name, prompt.description, row.number, row.system_prompt, row.output_prompt, prompt)


def _shipped() -> list[ReviewPrompt]:
    return [_of_file(path) for path in sorted((instructions.PROMPTS / "review").glob("*.md"))]


def _of_file(path: Path) -> ReviewPrompt:
    head, _, body = path.read_text(encoding="utf-8").removeprefix("---\n").partition("\n---\n")
    about = yaml.safe_load(head)
    said = about.get("settings")
    return ReviewPrompt(PREFIX + about["name"], about["purpose"], 0, body.strip(), json.dumps(said) if said else "")


def settings_text(criteria: Mapping[str, str], scale: tuple[int, int], details: bool, model: str) -> str:
    """The settings of a version as JSON."""
    said: dict[str, Json] = {"criteria": dict(criteria), "scale": list(scale), "details": details}
    return json.dumps(said | ({"model": model} if model else {}), ensure_ascii=False, indent=2)


def settings_of(rubric: Rubric, model: str) -> str:
    """The same of a rubric."""
    return settings_text(dict(rubric.criteria), (rubric.low, rubric.high), rubric.details, model)


def save(session: Session, name: str, template: str, settings: str, *, description: str = "") -> ReviewPrompt:
    """Create a review prompt, or make a new version of it; the same text makes none. Raises: Invalid with every problem."""
    if errors := check(template, settings).errors:
        raise Invalid(errors)
    found = _named(session, name)
    if found is None:
        words = {"system_prompt": template, "output_prompt": settings}
        prompts.create(session, name, category=CATEGORY, description=description, **words)
        return get(session, name)
    prompts.save_version(session, found, system_prompt=template, output_prompt=settings)
    if description and description != found.description:
        prompts.describe(session, found, name=found.name, description=description, category=CATEGORY, tags=found.tags)
    return _newest(found)


def duplicate(session: Session, reference: str, name: str = "") -> ReviewPrompt:
    """A new review prompt that says the same. name: "" for one made from the old. Raises: NotFound, Invalid."""
    old = get(session, reference)
    taken = {one.name for one in list_all(session)}
    copies = (f"{old.name} copy{number}" for number in ("", *(f" {n}" for n in range(2, len(taken) + 3))))
    wanted = name or next(copy for copy in copies if copy not in taken)
    wanted = wanted if "/" in wanted else PREFIX + wanted
    if wanted in taken:
        raise Invalid([Problem("name", f"there is a review prompt called {wanted!r} already; choose another name")])
    return save(session, wanted, old.template, old.settings, description=old.description)


def delete(session: Session, name: str) -> None:
    """Take one's own review prompt out of the library. Raises: NotFound; Conflict for one that ships or that was used."""
    found = _named(session, name)
    if found is None:
        get(session, name)
        raise Conflict(f"{name} ships with the product and cannot be deleted; duplicate it to change it")
    check_unused(session, name)
    prompts.delete(session, found)


def check_unused(session: Session, name: str) -> None:
    """Raises: Conflict for a review prompt that benchmarks name; any other prompt may go."""
    if used := usage(session, name).runs:
        runs = "1 benchmark uses" if used == 1 else f"{used} benchmarks use"
        raise Conflict(f"{runs} {name}; a review prompt can be deleted only as long as none does")


def usage(session: Session, name: str) -> Usage:
    """The benchmarks that name it."""
    named = Run.spec["review"]["prompt"].as_string() == name
    query = select(func.count(), func.max(Run.created_at)).where(
        Run.kind == "benchmark", Run.deleted_at.is_(None), named
    )
    runs, last = session.execute(query).one()
    return Usage(runs, last)
