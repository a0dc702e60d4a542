"""Versions never change; a new text is a new version, and labels move between versions."""

from __future__ import annotations

from typing import Unpack

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.services.errors import Invalid, NotFound, Problem
from app.services.prompts.checks import Words, checked_content, checked_label
from app.services.prompts.library import as_version, head
from app.store.label_moves import LabelMove
from app.store.models import Prompt, PromptLabel, PromptVersion


def versions(session: Session, prompt: Prompt) -> list[PromptVersion]:
    """All versions, the newest first."""
    query = select(PromptVersion).where(PromptVersion.prompt_id == prompt.id)
    return list(session.scalars(query.order_by(PromptVersion.number.desc())))


def version(session: Session, prompt: Prompt, which: int | str = "") -> PromptVersion:
    """One version, by number (3, "3" or "v3"), by label, "newest" for the very newest, "" for the head of the prompt's line.

    Raises: NotFound.
    """
    wanted = str(which).strip()
    if wanted in ("", "head"):
        return head(prompt)
    if wanted in ("newest", "latest"):
        return prompt.versions[-1]
    digits = wanted.removeprefix("v")
    if digits.isascii() and digits.isdigit():
        condition = PromptVersion.number == int(digits[:18])
    else:
        labelled = select(PromptLabel.version_id).where(PromptLabel.prompt_id == prompt.id, PromptLabel.label == wanted)
        condition = PromptVersion.id.in_(labelled)
    found = session.scalars(select(PromptVersion).where(PromptVersion.prompt_id == prompt.id, condition)).one_or_none()
    if found is None:
        raise NotFound(f"{prompt.name} has no version or label {wanted!r}")
    return found


def save_version(
    session: Session,
    prompt: Prompt,
    *,
    parent: PromptVersion | None = None,
    author: str = "person",
    reasoning: str = "",
    **words: Unpack[Words],
) -> PromptVersion:
    """A new version made from parent (the head when None); the head itself when the text is the same.

    author: "person", "run" or "import". Raises: Invalid.
    """
    problems: list[Problem] = []
    content = checked_content(prompt.kind, words, problems)
    if problems:
        raise Invalid(problems)
    lock(session, prompt)
    current = head(prompt)
    if current.digest == content.digest:
        session.commit()
        return current
    new = as_version(content, prompt.versions[-1].number + 1, author)
    new.parent, new.reasoning = parent or current, reasoning
    prompt.versions.append(new)
    session.commit()
    return new


def lock(session: Session, prompt: Prompt) -> None:
    """Let nobody else change this prompt's versions and labels until the transaction ends, and see those that there are."""
    session.scalars(select(Prompt.id).where(Prompt.id == prompt.id).with_for_update()).one()
    session.refresh(prompt, ["versions", "labels"])


def restore(session: Session, prompt: Prompt, old: PromptVersion) -> PromptVersion:
    """A new version with an old one's text, whose parent is that old one; the head itself when it has that text already."""
    why = f"Version {old.number} restored."
    if prompt.kind == "chat":
        return save_version(session, prompt, parent=old, reasoning=why, messages=old.messages)
    texts = Words(system_prompt=old.system_prompt, output_prompt=old.output_prompt)
    return save_version(session, prompt, parent=old, reasoning=why, **texts)


def set_label(session: Session, prompt: Prompt, label: str, target: PromptVersion) -> PromptLabel:
    """Point a label at a version of the prompt, wherever it pointed before. Raises: Invalid."""
    label = checked_label(label)
    lock(session, prompt)
    found = _labelled(prompt, label)
    if found is None:
        found = PromptLabel(label=label)
        prompt.labels.append(found)
    if found.version is not target:
        session.add(LabelMove(prompt_id=prompt.id, label=label, version_id=target.id))
    found.version = target
    session.commit()
    return found


def remove_label(session: Session, prompt: Prompt, label: str) -> None:
    """Take a label away. Raises: NotFound."""
    lock(session, prompt)
    found = _labelled(prompt, label)
    if found is None:
        raise NotFound(f"{prompt.name} has no label {label!r}")
    session.delete(found)
    session.add(LabelMove(prompt_id=prompt.id, label=label))
    session.commit()
    session.refresh(prompt, ["labels"])


def label_history(session: Session, prompt: Prompt, *, limit: int = 100) -> list[LabelMove]:
    """Where the prompt's labels have pointed, the newest move first."""
    query = select(LabelMove).where(LabelMove.prompt_id == prompt.id).order_by(LabelMove.id.desc())
    return list(session.scalars(query.limit(limit)))


def _labelled(prompt: Prompt, label: str) -> PromptLabel | None:
    return next((one for one in prompt.labels if one.label == label), None)
