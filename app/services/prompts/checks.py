"""What a prompt may be called and may consist of; every problem of an input is found at once and names its field."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from app.core.model import digest
from app.core.responders.single_turn import PLACEHOLDERS
from app.core.storable import storable
from app.core.templates import placeholders
from app.ports.llm import Json
from app.services.errors import Invalid, Problem

KINDS = ("pair", "chat")
ROLES = ("system", "user", "assistant")
LONGEST_NAME = 200
LONGEST_TEXT = 200_000
MOST_MESSAGES = 200
MOST_TAGS = 30

NAME_RULE = "letters, digits, spaces and . _ - /, beginning with a letter or digit"
LABEL_RULE = "small letters, digits and . _ -, beginning with a letter"
RESERVED_LABELS = ("newest", "latest", "head")

_NAME = re.compile(r"[^\W_](?:[\w .\-/]*[\w.\-])?")
_RESERVED_PARTS = frozenset({"versions", "labels"})
_LABEL = re.compile(r"[a-z][a-z0-9._-]{0,59}")
_NUMBERED = re.compile(r"v\d+")
_BRACES = re.compile(r"\{\{(.*?)(?:\}\}|$)", re.DOTALL)


class Words(TypedDict, total=False):
    """The text of a version as services take it: two texts for a pair, messages for a chat."""

    system_prompt: str
    output_prompt: str
    messages: Sequence[Json]


@dataclass(frozen=True)
class Content:
    """The checked text of a version. messages: [{"role": ..., "content": ...}] for a chat, else empty."""

    kind: str
    system_prompt: str = ""
    output_prompt: str = ""
    messages: tuple[Mapping[str, str], ...] = ()

    @property
    def digest(self) -> str:
        """Same text, same digest."""
        return digest([self.kind, self.system_prompt, self.output_prompt, [dict(m) for m in self.messages]])


def plain(text: str) -> str:
    """The text as it is kept: storable, with newlines as plain \\n whatever the browser or file made of them."""
    return storable(text.replace("\r\n", "\n").replace("\r", "\n"))


def checked_name(name: str, problems: list[Problem]) -> str:
    """The name in one Unicode form, without spaces around it."""
    name = unicodedata.normalize("NFC", name).strip()
    if not name:
        problems.append(Problem("name", "give it a name"))
    elif len(name) > LONGEST_NAME:
        problems.append(Problem("name", f"a name has at most {LONGEST_NAME} characters; this one has {len(name)}"))
    elif not _NAME.fullmatch(name) or not all(part.strip(" .") for part in name.split("/")):
        problems.append(Problem("name", f"{name!r} is not a possible name: use {NAME_RULE}"))
    elif taken := _RESERVED_PARTS.intersection(name.split("/")[1:-1]):
        problems.append(Problem("name", f"/{min(taken)}/ cannot stand inside a name: addresses use it"))
    return name


def checked_label(label: str) -> str:
    """The label. Raises: Invalid."""
    label = label.strip()
    if label in RESERVED_LABELS or _NUMBERED.fullmatch(label):
        raise Invalid([Problem("label", f"{label!r} already means a version by itself; choose another word")])
    if not _LABEL.fullmatch(label):
        raise Invalid([Problem("label", f"{label!r} is not a possible label: use {LABEL_RULE}, at most 60 characters")])
    return label


def checked_tags(tags: Iterable[str], problems: list[Problem]) -> list[str]:
    """The tags without blanks and repetitions, in the order given."""
    found = list(dict.fromkeys(tag for tag in (unicodedata.normalize("NFC", t).strip() for t in tags) if tag))
    if len(found) > MOST_TAGS:
        problems.append(Problem("tags", f"a prompt has at most {MOST_TAGS} tags"))
    problems.extend(
        Problem("tags", f"{tag[:60]!r} is not a possible tag: at most 60 characters and no comma")
        for tag in found
        if len(tag) > 60 or "," in tag
    )
    return found


def checked_content(kind: str, words: Words, problems: list[Problem]) -> Content:
    """The text in its kept form; what does not belong to the kind must be absent."""
    if kind not in KINDS:
        problems.append(Problem("kind", f"must be pair or chat, not {kind!r}"))
        return Content(kind)
    texts = {field: words.get(field, "") for field in ("system_prompt", "output_prompt")}
    messages = words.get("messages", ())
    if kind == "chat":
        problems.extend(Problem(field, "a chat prompt has messages instead") for field, text in texts.items() if text)
        return Content(kind, messages=_checked_messages(messages, problems))
    if messages:
        problems.append(Problem("messages", "a pair has a system and an output prompt instead"))
    return _checked_pair(texts, problems)


def _checked_pair(texts: Mapping[str, Json], problems: list[Problem]) -> Content:
    for field, text in texts.items():
        if not isinstance(text, str):
            problems.append(Problem(field, "must be a text"))
            return Content("pair")
        if len(text) > LONGEST_TEXT:
            problems.append(Problem(field, f"is longer than {LONGEST_TEXT:,} characters"))
    if not any(text.strip() for text in texts.values()):
        problems.append(Problem("system_prompt", "write a system prompt, an output prompt, or both"))
    return Content("pair", plain(texts["system_prompt"]), plain(texts["output_prompt"]))


def _checked_messages(messages: Json, problems: list[Problem]) -> tuple[Mapping[str, str], ...]:
    if not isinstance(messages, list | tuple):
        problems.append(Problem("messages", 'must be a list of messages, [{"role": "system", "content": "..."}]'))
        return ()
    if not messages:
        problems.append(Problem("messages", "a chat prompt needs at least one message"))
    if len(messages) > MOST_MESSAGES:
        problems.append(Problem("messages", f"a chat prompt has at most {MOST_MESSAGES} messages"))
        return ()
    found = []
    for number, message in enumerate(messages, start=1):
        wrong = _wrong_with(message, number)
        problems.extend(Problem("messages", f"message {number} {what}") for what in wrong)
        if not wrong:
            found.append({"role": message["role"], "content": plain(message["content"])})
    return tuple(found)


def _wrong_with(message: Json, number: int) -> list[str]:
    if not isinstance(message, dict):
        return ['must look like {"role": "user", "content": "..."}']
    wrong = [f"has an unknown key {key!r}; known: role, content" for key in message if key not in ("role", "content")]
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        wrong.append(f"needs a role: {', '.join(ROLES)}" + (f", not {role!r}" if role else ""))
    elif role == "system" and number > 1:
        wrong.append("has the role system, which only the first message may have")
    if not isinstance(content, str) or not content.strip():
        wrong.append("has no content")
    elif len(content) > LONGEST_TEXT:
        wrong.append(f"is longer than {LONGEST_TEXT:,} characters")
    return wrong


def parse_messages(text: str) -> Json:
    """The JSON of the chat editor. Raises: Invalid, naming line and column, or what is wrong with a message."""
    try:
        messages = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Invalid([Problem("messages", f"this is not JSON: {error.msg} at {where}")]) from None
    except RecursionError:
        raise Invalid([Problem("messages", "this JSON is nested too deeply")]) from None
    return checked_messages(messages)


def checked_messages(messages: Json) -> list[dict[str, str]]:
    """The messages of a chat in their kept form. Raises: Invalid, naming what is wrong with each."""
    problems: list[Problem] = []
    checked = _checked_messages(messages, problems)
    if problems:
        raise Invalid(problems)
    return [dict(m) for m in checked]


def _texts(kind: str, system_prompt: str, output_prompt: str, messages: Iterable[Mapping[str, str]]) -> list[str]:
    return [m["content"] for m in messages] if kind == "chat" else [system_prompt, output_prompt]


def variables(kind: str, system_prompt: str, output_prompt: str, messages: Iterable[Mapping[str, str]]) -> list[str]:
    """Names of the {{variables}} that a prompt refers to, each once, in order of appearance."""
    return placeholders("\n".join(_texts(kind, system_prompt, output_prompt, messages)))


def notes_on(kind: str, system_prompt: str, output_prompt: str, messages: Iterable[Mapping[str, str]]) -> list[str]:
    """What a person may have meant otherwise: braces that are no variable, variables that nothing fills in a training."""
    texts = _texts(kind, system_prompt, output_prompt, messages)
    notes = [note for text in texts for note in _malformed(text)]
    if kind == "pair":
        known = ", ".join(f"{{{{{name}}}}}" for name in PLACEHOLDERS)
        names = [n for n in placeholders("\n".join(texts)) if n not in PLACEHOLDERS]
        notes.extend(
            f"{{{{{name}}}}} is filled in by nothing in a training, which knows {known} only." for name in names
        )
    return list(dict.fromkeys(notes))


def _malformed(text: str) -> Iterable[str]:
    for match in _BRACES.finditer(text):
        if not placeholders(match[0]):
            shown = match[0] if len(match[0]) <= 40 else match[0][:40] + "…"
            why = "is never closed" if not match[0].endswith("}}") else "is no variable name"
            yield f"{shown!r} {why}, so it stays as it is; a variable looks like {{{{topic}}}}."
