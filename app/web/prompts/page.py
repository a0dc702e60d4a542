"""The blueprint of the prompt pages, and what several of them need."""

from __future__ import annotations

from flask import Blueprint

from app.services import prompts
from app.store.models import Prompt, PromptVersion
from app.web.database import session

pages = Blueprint("prompts", __name__, url_prefix="/prompts")


def get(prompt_id: int) -> Prompt:
    """The prompt, or NotFound."""
    return prompts.by_id(session(), prompt_id)


def version_of(prompt: Prompt, number: int) -> PromptVersion:
    """The version, or NotFound."""
    return prompts.version(session(), prompt, number)


def parts(version: PromptVersion) -> list[tuple[str, str]]:
    """(title, text) of each piece of a version that has one."""
    if version.prompt.kind == "chat":
        return [(message["role"], message["content"]) for message in version.messages]
    texts = (("System prompt", version.system_prompt), ("Output prompt, after the input", version.output_prompt))
    return [(title, text) for title, text in texts if text]


def variables(version: PromptVersion) -> list[str]:
    """Names of the {{variables}} of a version."""
    return prompts.variables(version.prompt.kind, version.system_prompt, version.output_prompt, version.messages)


def notes(version: PromptVersion) -> list[str]:
    """What a person may have meant otherwise in a version."""
    return prompts.notes_on(version.prompt.kind, version.system_prompt, version.output_prompt, version.messages)
