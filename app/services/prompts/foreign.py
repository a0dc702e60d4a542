"""Prompts as other tools keep them: promptfoo configurations, Langfuse prompts, and plain lists of chat messages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from app.core.templates import placeholders
from app.ports.llm import Json
from app.services.errors import Invalid, Problem

FIELD = "file"
MOST = 200
"""Prompts of one file."""
_SINGLE = re.compile(r"(?<!\{)\{([A-Za-z_][A-Za-z0-9_]*)\}(?!\})")
_NAME = re.compile(r"[^\w .\-/]+")


@dataclass(frozen=True)
class Taken:
    """A prompt of a file. name: as the file calls it, made fit for the library. adjusted: {names} that became {{names}}."""

    name: str
    messages: Json
    tags: tuple[str, ...] = ()
    adjusted: tuple[str, ...] = ()


def loads(text: str) -> Json:
    """A JSON or YAML document. Raises: Invalid, with the line."""
    text = text.removeprefix("\ufeff")
    try:
        return json.loads(text)
    except RecursionError:
        raise Invalid([Problem(FIELD, "this is nested too deeply")]) from None
    except json.JSONDecodeError as wrong:
        if text.lstrip()[:1] in ("{", "["):
            raise Invalid([Problem(FIELD, f"this is not JSON (line {wrong.lineno}, column {wrong.colno})")]) from None
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise Invalid([Problem(FIELD, f"this is neither JSON nor YAML{where}")]) from None


def read(data: Json, name: str) -> list[Taken]:
    """The prompts of a document of another tool. name: for what has none itself. Raises: Invalid with every problem."""
    items = list(_items(data, name))
    if not items:
        told = "this is no prompt: not a file exported from here, no promptfoo configuration, no Langfuse prompt, no messages"
        raise Invalid([Problem(FIELD, told)])
    if len(items) > MOST:
        raise Invalid([Problem(FIELD, f"it holds {len(items)} prompts; at most {MOST} are imported at once")])
    problems: list[Problem] = []
    found = []
    for title, content, tags in items:
        try:
            found.append(_taken(title, content, tags))
        except ValueError as wrong:
            problems.append(Problem(FIELD, f"{title or 'the prompt'}: {wrong}"))
    problems += [Problem("name", "this file gives no name; write one")] * any(not one.name for one in found)
    if problems:
        raise Invalid(problems)
    return found


def _items(data: Json, name: str) -> Iterator[tuple[str, Json, tuple[str, ...]]]:
    """(name, text or messages, tags) of each prompt in a document."""
    if isinstance(data, dict) and "prompts" in data:
        listed = data["prompts"] if isinstance(data["prompts"], list) else [data["prompts"]]
        for number, item in enumerate(listed, 1):
            yield from _promptfoo(item, name or _title(data), number if len(listed) > 1 else 0)
    elif isinstance(data, dict) and "prompt" in data:
        tags = data.get("tags")
        words = tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()
        yield name or str(data.get("name") or ""), data["prompt"], words
    elif isinstance(data, list) and data and all(isinstance(one, dict) and "prompt" in one for one in data):
        for number, one in enumerate(data, 1):
            yield from _items(one, f"{name} {number}" if name else "")
    elif _is_chat(data):
        yield name, data, ()


def _title(data: Json) -> str:
    return str(data.get("description") or "") if isinstance(data.get("description"), str) else ""


def _promptfoo(item: Json, name: str, number: int) -> Iterator[tuple[str, Json, tuple[str, ...]]]:
    title = f"{name} {number}".strip() if number else name
    if isinstance(item, dict):
        title = str(item.get("label") or item.get("id") or title) if not name or number else title
        item = item.get("raw", item.get("id"))
    yield title or (f"prompt {number}" if number else ""), item, ()


def _is_chat(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) and "role" in one for one in value)


def _taken(title: str, content: Json, tags: tuple[str, ...]) -> Taken:
    """Raises: ValueError, in words, for what the library cannot hold."""
    messages = _messages(content)
    text = "\n".join(one["content"] for one in messages)
    names = () if placeholders(text) else tuple(dict.fromkeys(_SINGLE.findall(text)))
    if names:
        messages = [one | {"content": _SINGLE.sub(r"{{\1}}", one["content"])} for one in messages]
    return Taken(_fit(title), messages, tags, names)


def _messages(content: Json) -> list[dict[str, Any]]:
    if isinstance(content, str):
        if content.startswith(("file://", "exec:")):
            raise ValueError(f"it stands in another file, {content[:120]!r}; import that one")
        chat = _chat_in(content)
        return _messages(chat) if chat else [{"role": "user", "content": content}]
    if not _is_chat(content):
        raise ValueError("it is neither a text nor a list of messages with role and content")
    found = []
    for number, one in enumerate(content, 1):
        if one.get("type") == "placeholder":
            raise ValueError(f"message {number} stands for messages of a conversation, which the library does not hold")
        if not isinstance(one.get("content"), str):
            raise ValueError(f"message {number} has no text; images and other parts are not held")
        found.append({"role": {"developer": "system"}.get(one["role"], one["role"]), "content": one["content"]})
    return found


def _chat_in(text: str) -> Json:
    """The messages that a text is written as, in JSON or YAML; None when it is plain text."""
    if text.lstrip()[:1] not in ("[", "-"):
        return None
    try:
        value = loads(text)
    except Invalid:
        return None
    return value if _is_chat(value) else None


def _fit(title: str) -> str:
    """The name with signs that no name of the library may have left out."""
    return " ".join(_NAME.sub(" ", title).split()).strip(" ._-/")[:180]
