"""The prompts that tests of the library begin with."""

from __future__ import annotations

import pytest

from app.services import prompts
from app.store.database import Database
from app.store.models import Prompt

CHAT = [{"role": "system", "content": "You know {{topic}}."}, {"role": "user", "content": "{{question}}"}]
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def prompt(database: Database) -> Prompt:
    """A pair with two versions; the second is labelled production."""
    with database.session() as session:
        prompt = prompts.create(
            session, "support", system_prompt=f"Answer. {SCRIPT}", tags=["mail"], description="Mails"
        )
        second = prompts.save_version(
            session, prompt, system_prompt="Answer in one word.", output_prompt="Word: {{topic}}"
        )
        prompts.set_label(session, prompt, "production", second)
        return prompt


@pytest.fixture
def chat(database: Database) -> Prompt:
    with database.session() as session:
        return prompts.create(session, "chat", kind="chat", messages=CHAT)


def saved(database: Database, name: str) -> Prompt:
    with database.session() as session:
        prompt = prompts.get(session, name)
        assert prompt.versions
        assert prompt.labels is not None
        return prompt
