"""Prompts by name: found, created, described, deleted. A deleted prompt frees its name and stays in the record of its runs."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Unpack

from sqlalchemy import ColumnElement, Select, String, cast, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from app.services.errors import Invalid, NotFound, Problem
from app.services.prompts.checks import (
    LONGEST_NAME,
    Content,
    Words,
    checked_content,
    checked_name,
    checked_tags,
    plain,
)
from app.store.models import Prompt, PromptLabel, PromptVersion

SETTLED = ("", "accepted")
"""Fates of versions that count as the prompt's own line; rejected and invalid proposals hang beside it."""

LONGEST_DESCRIPTION = 2_000


@dataclass(frozen=True)
class Summary:
    """A prompt in a list. versions: how many, proposals that were refused included. changed_at: when the newest was made."""

    prompt: Prompt
    versions: int
    changed_at: dt.datetime


def get(session: Session, name: str) -> Prompt:
    """The prompt of that name. Raises: NotFound."""
    found = session.scalars(_alive().where(Prompt.name == checked_name(name, []))).one_or_none()
    if found is None:
        raise NotFound(f"there is no prompt called {name!r} in the library")
    return found


def by_id(session: Session, prompt_id: int) -> Prompt:
    """The prompt with that id. Raises: NotFound."""
    found = session.scalars(_alive().where(Prompt.id == prompt_id)).one_or_none()
    if found is None:
        raise NotFound(f"there is no prompt with the number {prompt_id} in the library")
    return found


def head(prompt: Prompt) -> PromptVersion:
    """The version that work goes on from: the newest that is not a refused proposal."""
    return next((v for v in reversed(prompt.versions) if v.fate in SETTLED), prompt.versions[-1])


def list_prompts(
    session: Session, search: str = "", *, tag: str = "", after: str = "", limit: int = 1000
) -> list[Prompt]:
    """Prompts by name, those after a name if given.

    search: words that must each occur in name, description, category or tags. tag: one whole tag.
    """
    query = (
        _alive()
        .options(selectinload(Prompt.labels).selectinload(PromptLabel.version))
        .order_by(Prompt.name)
        .where(Prompt.name > after)
    )
    for word in search.split():
        query = query.where(or_(*(column.icontains(word, autoescape=True) for column in _searched())))
    if tag:
        query = query.where(cast(Prompt.tags, String).contains(f'"{tag}"', autoescape=True))
    return list(session.scalars(query.limit(limit)))


def summaries(session: Session, prompts: Sequence[Prompt]) -> list[Summary]:
    """The same prompts with their counts, without reading the texts."""
    counts = (
        select(PromptVersion.prompt_id, func.count(), func.max(PromptVersion.created_at))
        .where(PromptVersion.prompt_id.in_([p.id for p in prompts]))
        .group_by(PromptVersion.prompt_id)
    )
    by_prompt = {row[0]: row for row in session.execute(counts)}
    return [Summary(p, by_prompt[p.id][1], by_prompt[p.id][2]) for p in prompts]


def recent_numbers(session: Session, prompts: Sequence[Prompt], most: int) -> dict[int, list[int]]:
    """The newest versions of each prompt that are no refused proposals, by prompt id, without reading the texts."""
    query = select(PromptVersion.prompt_id, PromptVersion.number)
    query = query.where(PromptVersion.prompt_id.in_([p.id for p in prompts]), PromptVersion.fate.in_(SETTLED))
    found: dict[int, list[int]] = {}
    for prompt_id, number in session.execute(query.order_by(PromptVersion.number.desc())):
        found.setdefault(prompt_id, []).append(number)
    return {prompt_id: numbers[:most] for prompt_id, numbers in found.items()}


def tags_in_use(session: Session) -> list[str]:
    """Every tag of the library, sorted."""
    rows = session.scalars(select(Prompt.tags).where(Prompt.deleted_at.is_(None)))
    return sorted({tag for tags in rows for tag in tags}, key=str.casefold)


def create(
    session: Session,
    name: str,
    *,
    kind: str = "pair",
    description: str = "",
    category: str = "",
    tags: Iterable[str] = (),
    author: str = "person",
    **words: Unpack[Words],
) -> Prompt:
    """A new prompt with its version 1. Raises: Invalid with every problem."""
    problems: list[Problem] = []
    prompt = Prompt(name=checked_name(name, problems), kind=kind)
    _describe(prompt, description, category, tags, problems)
    content = checked_content(kind, words, problems)
    if not problems and _taken(session, prompt.name):
        problems.append(_name_taken(prompt.name))
    if problems:
        raise Invalid(problems)
    prompt.versions.append(as_version(content, 1, author))
    session.add(prompt)
    return _committed(session, prompt)


def unsaved(name: str, words: Words, *, description: str, author: str) -> Prompt:
    """A new pair with its version 1, not yet in any session, from texts that a run was made with. name: one that is free."""
    content = Content("pair", plain(words["system_prompt"]), plain(words["output_prompt"]))
    prompt = Prompt(name=name, kind="pair", description=description, tags=[])
    prompt.versions.append(as_version(content, 1, author))
    return prompt


def check_about(session: Session, name: str, *, description: str, category: str, tags: Iterable[str]) -> None:
    """Whether a new prompt could be called and described so. Raises: Invalid with every problem."""
    problems: list[Problem] = []
    name = checked_name(name, problems)
    _describe(Prompt(), description, category, tags, problems)
    if not problems and _taken(session, name):
        problems.append(_name_taken(name))
    if problems:
        raise Invalid(problems)


def describe(
    session: Session, prompt: Prompt, *, name: str, description: str, category: str, tags: Iterable[str]
) -> None:
    """Change what is said about a prompt; its versions stay. Raises: Invalid."""
    problems: list[Problem] = []
    name = checked_name(name, problems)
    if not problems and name != prompt.name and _taken(session, name):
        problems.append(_name_taken(name))
    with session.no_autoflush:
        _describe(prompt, description, category, tags, problems)
    if problems:
        session.rollback()
        raise Invalid(problems)
    prompt.name = name
    _committed(session, prompt)


def delete(session: Session, prompt: Prompt) -> None:
    """Take a prompt out of the library. Its versions stay for the runs that refer to them."""
    prompt.name = f"{prompt.name[: LONGEST_NAME - 30]} #deleted-{prompt.id}"  # "#" is in no name that a person may give
    prompt.deleted_at = dt.datetime.now(dt.UTC)
    session.commit()


def free_name(session: Session, base: str) -> str:
    """A possible name that no prompt has: base, or base followed by a number."""
    words = re.sub(r"[^\w .\-]+", " ", base).strip(" ._-")[: LONGEST_NAME - 10].strip(" ._-") or "prompt"
    taken = set(session.scalars(select(Prompt.name).where(Prompt.name.startswith(words, autoescape=True))))
    numbers = (f"{words} {number}" for number in range(2, len(taken) + 3))
    return next(name for name in (words, *numbers) if name not in taken)


def as_version(content: Content, number: int, author: str) -> PromptVersion:
    """The row of a checked text, not yet in any session."""
    return PromptVersion(
        number=number,
        system_prompt=content.system_prompt,
        output_prompt=content.output_prompt,
        messages=[dict(m) for m in content.messages],
        digest=content.digest,
        author=author,
    )


def _alive() -> Select[Prompt]:
    return select(Prompt).where(Prompt.deleted_at.is_(None))


def _searched() -> tuple[ColumnElement[str], ...]:
    texts = (Prompt.name, Prompt.description, Prompt.category, Prompt.tags)
    return tuple(cast(column, String) for column in texts)


def _taken(session: Session, name: str) -> bool:
    return session.scalar(select(Prompt.id).where(Prompt.name == name)) is not None


def _name_taken(name: str) -> Problem:
    return Problem("name", f"there is a prompt called {name!r} already; choose another name")


def _describe(prompt: Prompt, description: str, category: str, tags: Iterable[str], problems: list[Problem]) -> None:
    if len(description) > LONGEST_DESCRIPTION:
        problems.append(Problem("description", f"has at most {LONGEST_DESCRIPTION:,} characters"))
    if len(category) > 100:
        problems.append(Problem("category", "has at most 100 characters"))
    prompt.description, prompt.category = description.strip(), category.strip()
    prompt.tags = checked_tags(tags, problems)


def _committed(session: Session, prompt: Prompt) -> Prompt:
    name = prompt.name
    try:
        session.commit()
    except IntegrityError:  # somebody else took the name in the meantime
        session.rollback()
        raise Invalid([_name_taken(name)]) from None
    return prompt
