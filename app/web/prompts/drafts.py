"""What stands in the editor: read from a form, from a version, or empty; whatever is wrong with it, nothing of it is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from app.ports.llm import Json
from app.services import prompts
from app.services.errors import Invalid
from app.store.models import Prompt, PromptVersion
from app.web import params

LONGEST_REASON = 2_000
EMPTY_CHAT = ({"role": "system", "content": ""}, {"role": "user", "content": ""})


@dataclass(frozen=True)
class Draft:
    """The editor's content. A chat is edited as rows, or as JSON when raw is not None.

    base: number of the version that it was made from, 0 for a new prompt.
    """

    kind: str = "pair"
    name: str = ""
    description: str = ""
    category: str = ""
    tags: str = ""
    system_prompt: str = ""
    output_prompt: str = ""
    rows: tuple[Mapping[str, str], ...] = EMPTY_CHAT
    raw: str | None = None
    base: int = 0
    reasoning: str = ""

    @property
    def messages(self) -> Json:
        """The chat's messages; rows without content are left out. Raises: Invalid when the JSON is wrong."""
        if self.raw is not None:
            return prompts.parse_messages(self.raw)
        return [dict(row) for row in self.rows if row["content"].strip()]

    @property
    def words(self) -> prompts.Words:
        """As services take it. Raises: Invalid."""
        if self.kind == "chat":
            return prompts.Words(messages=self.messages)
        return prompts.Words(system_prompt=self.system_prompt, output_prompt=self.output_prompt)

    @property
    def about(self) -> dict[str, Any]:
        """Description, category and tags as services take them."""
        return {"description": self.description, "category": self.category, "tags": self.tags.split(",")}

    @property
    def plain_text(self) -> str:
        """Everything as one text, for comparing."""
        return as_text(self.kind, self.system_prompt, self.output_prompt, self.messages if self.kind == "chat" else [])


def as_text(kind: str, system_prompt: str, output_prompt: str, messages: Json) -> str:
    """A prompt as one text that shows which part is which."""
    if kind == "chat":
        return "\n\n".join(f"{m['role'].upper()}\n{m['content']}" for m in messages)
    return f"SYSTEM PROMPT\n{system_prompt}\n\nOUTPUT PROMPT\n{output_prompt}"


def text_of(version: PromptVersion) -> str:
    """The same for a version."""
    return as_text(version.prompt.kind, version.system_prompt, version.output_prompt, version.messages)


def from_form(kind: str) -> Draft:
    """What was sent."""
    form = request.form
    return Draft(
        kind=kind,
        name=params.clean(form.get("name", "")),
        description=form.get("description", ""),
        category=form.get("category", ""),
        tags=form.get("tags", ""),
        system_prompt=_lines(form.get("system_prompt", "")),
        output_prompt=_lines(form.get("output_prompt", "")),
        rows=_rows(form),
        raw=form.get("messages"),
        reasoning=form.get("reasoning", "")[:LONGEST_REASON],
        base=int(form["base"]) if form.get("base", "").isdecimal() and len(form["base"]) < 10 else 0,
    )


def from_version(prompt: Prompt, version: PromptVersion) -> Draft:
    """A version to go on from."""
    return Draft(
        kind=prompt.kind,
        system_prompt=version.system_prompt,
        output_prompt=version.output_prompt,
        rows=tuple(version.messages) or EMPTY_CHAT,
        base=version.number,
    )


def _lines(text: str) -> str:
    """Browsers send CRLF; a text must not change by being sent."""
    return text.replace("\r\n", "\n")


def _rows(form: MultiDict[str, str]) -> tuple[Mapping[str, str], ...]:
    pairs = zip(form.getlist("role"), form.getlist("content"), strict=False)
    return tuple({"role": role, "content": _lines(content)} for role, content in pairs) or EMPTY_CHAT


def rearranged(draft: Draft, do: str) -> Draft:
    """The draft after one of the editor's own buttons: add, remove-N, up-N, as-json, as-rows.

    Raises: Invalid when JSON that is to become rows is wrong.
    """
    verb, _, place = do.partition("-")
    rows = list(draft.rows)
    at = int(place) if place.isdecimal() and len(place) < 4 else -1
    if verb == "add":
        last = rows[-1]["role"] if rows else "system"
        rows.append({"role": "assistant" if last == "user" else "user", "content": ""})
    elif verb == "remove" and 0 <= at < len(rows):
        del rows[at]
    elif verb == "up" and 0 < at < len(rows):
        rows[at - 1], rows[at] = rows[at], rows[at - 1]
    elif do == "as-json":
        return replace(draft, raw=json.dumps(draft.messages, ensure_ascii=False, indent=2))
    elif do == "as-rows":
        return replace(draft, raw=None, rows=tuple(draft.messages))
    return replace(draft, rows=tuple(rows) or EMPTY_CHAT)


def looked_at(draft: Draft) -> dict[str, object]:
    """What the editor says about a draft while it is written: variables, notes, size; or what is wrong with the JSON."""
    try:
        messages = draft.messages if draft.kind == "chat" else []
    except Invalid as error:
        return {"wrong": str(error.problems[0].message)}
    content = (draft.kind, draft.system_prompt, draft.output_prompt, messages)
    text = (
        "".join(m["content"] for m in messages) if draft.kind == "chat" else draft.system_prompt + draft.output_prompt
    )
    return {
        "variables": prompts.variables(*content),
        "notes": prompts.notes_on(*content),
        "chars": len(text),
        "words": len(text.split()),
    }
