"""Versions in the formats of export, and prompts back in, from here and from other tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml
from sqlalchemy.orm import Session

from app.core.templates import placeholders
from app.ports.llm import Json
from app.services.errors import Invalid, NotFound, Problem
from app.services.prompts import foreign
from app.services.prompts.checks import Words, checked_content, checked_name, checked_tags, variables
from app.services.prompts.library import create, get
from app.services.prompts.snippet import python_snippet
from app.services.prompts.versions import save_version
from app.store.models import PromptVersion

FORMAT = "whetstone-prompt/1"
LONGEST_IMPORT = 4_000_000


def export(version: PromptVersion, format: str) -> str:
    """A version in one of FORMATS. Raises: Invalid for another format."""
    if format not in FORMATS:
        raise Invalid([Problem("format", f"must be one of {', '.join(FORMATS)}, not {format!r}")])
    return FORMATS[format](version)


@dataclass(frozen=True)
class Imported:
    """A version that came in. adjusted: variables that stood in single braces in the file."""

    version: PromptVersion
    adjusted: tuple[str, ...] = ()


def import_prompts(session: Session, text: str, *, name: str = "") -> list[Imported]:
    """Take in what the JSON export wrote, a promptfoo configuration, Langfuse prompts, or a list of chat messages.

    Each becomes a new prompt, or a new version when there is one of that name. name: another name than the file's. Labels stay
    where they are: an import must not move "production". Raises: Invalid, and nothing was imported.
    """
    if len(text) > LONGEST_IMPORT:
        raise Invalid([Problem("file", f"is longer than {LONGEST_IMPORT:,} characters")])
    data = foreign.loads(text)
    if isinstance(data, dict) and data.get("format") == FORMAT:
        return [Imported(_take(session, _checked(data), name))]
    if isinstance(data, dict) and "format" in data:
        raise Invalid([Problem("file", f'this is not a prompt exported from here: "format" is not "{FORMAT}"')])
    found = foreign.read(data, name)
    _check(session, found)
    taken = ({"name": one.name, "kind": "chat", "messages": one.messages, "tags": list(one.tags)} for one in found)
    return [Imported(_take(session, one, ""), of.adjusted) for one, of in zip(taken, found, strict=True)]


def _check(session: Session, found: list[foreign.Taken]) -> None:
    """Whether all can come in. Raises: Invalid with every problem."""
    problems: list[Problem] = []
    for one in found:
        wrong: list[Problem] = []
        checked_name(one.name, wrong)
        checked_content("chat", Words(messages=one.messages), wrong)
        checked_tags(one.tags, wrong)
        problems += [Problem("file", f"{one.name}: {problem.message}") for problem in wrong]
        try:
            kind = get(session, one.name).kind
        except NotFound:
            continue
        if kind != "chat":
            problems.append(Problem("file", f"{one.name} is a {kind} prompt here and a chat prompt in the file"))
    if problems:
        raise Invalid(problems)


def _take(session: Session, data: dict[str, Any], name: str) -> PromptVersion:
    """A prompt in our own shape."""
    name = name or data["name"]
    kind = data.get("kind", "chat" if data.get("messages") else "pair")
    words = Words(messages=data.get("messages", ()))
    if kind == "pair":
        words = Words(system_prompt=data.get("system_prompt", ""), output_prompt=data.get("output_prompt", ""))
    about = {"description": data.get("description", ""), "category": data.get("category", "")}
    try:
        prompt = get(session, name)
    except NotFound:
        prompt = create(session, name, kind=kind, tags=data.get("tags", ()), author="import", **about, **words)
        return prompt.versions[0]
    if prompt.kind != kind:
        raise Invalid([Problem("file", f"{name} is a {prompt.kind} prompt here and a {kind} prompt in the file")])
    return save_version(session, prompt, author="import", reasoning="Imported from a file.", **words)


def _checked(data: dict[str, Any]) -> dict[str, Any]:
    """What the JSON export wrote. Raises: Invalid."""
    problems = [
        Problem("file", f'"{key}" must be {title}')
        for key, (kind, title) in _SHAPE.items()
        if key in data and not isinstance(data[key], kind)
    ]
    if "name" not in data:
        problems.append(Problem("file", '"name" is missing'))
    if isinstance(data.get("tags"), list) and not all(isinstance(tag, str) for tag in data["tags"]):
        problems.append(Problem("file", '"tags" must be a list of texts'))
    if problems:
        raise Invalid(problems)
    return data


_SHAPE: dict[str, tuple[type, str]] = {
    "name": (str, "a text"),
    "kind": (str, "a text"),
    "description": (str, "a text"),
    "category": (str, "a text"),
    "tags": (list, "a list of texts"),
    "system_prompt": (str, "a text"),
    "output_prompt": (str, "a text"),
    "messages": (list, "a list of messages"),
}


def _facts(version: PromptVersion) -> dict[str, Json]:
    prompt = version.prompt
    texts: dict[str, Json] = {"messages": version.messages}
    if prompt.kind == "pair":
        texts = {"system_prompt": version.system_prompt, "output_prompt": version.output_prompt}
    return {
        "format": FORMAT,
        "name": prompt.name,
        "kind": prompt.kind,
        "description": prompt.description,
        "category": prompt.category,
        "tags": prompt.tags,
        "version": version.number,
        "labels": [one.label for one in prompt.labels if one.version_id == version.id],
        "variables": variables(prompt.kind, version.system_prompt, version.output_prompt, version.messages),
        **texts,
    }


def _as_json(version: PromptVersion) -> str:
    return json.dumps(_facts(version), ensure_ascii=False, indent=2) + "\n"


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, which people can read."""


_OTHER_BREAKS = frozenset("\x85\u2028\u2029")
"""YAML reads these as ends of a line; only between double quotes do they stay what they are."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if not _OTHER_BREAKS.isdisjoint(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _as_yaml(version: PromptVersion) -> str:
    return yaml.dump(_facts(version), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000)


def _as_text(version: PromptVersion) -> str:
    if version.prompt.kind == "chat":
        parts = [(m["role"], m["content"]) for m in version.messages]
    else:
        parts = [("system prompt", version.system_prompt), ("output prompt", version.output_prompt)]
    return "\n\n".join(f"--- {title} ---\n{text}" for title, text in parts if text) + "\n"


def _as_chat(version: PromptVersion) -> list[Json]:
    """The messages that are sent; of a pair with {{input}} where the input goes."""
    if version.prompt.kind == "chat":
        return list(version.messages)
    placed = "input" in placeholders(f"{version.system_prompt}\n{version.output_prompt}")
    user = version.output_prompt if placed else "\n\n".join(filter(None, ("{{input}}", version.output_prompt)))
    turns = [{"role": "system", "content": version.system_prompt}, {"role": "user", "content": user}]
    return [turn for turn in turns if turn["content"].strip()]


def _as_promptfoo(version: PromptVersion) -> str:
    """A configuration with this one prompt, as a JSON chat."""
    raw = json.dumps(_as_chat(version), ensure_ascii=False, indent=2)
    item = {"id": version.prompt.name, "label": f"{version.prompt.name}, version {version.number}", "raw": raw}
    return yaml.dump({"prompts": [item]}, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000)


def _as_langfuse(version: PromptVersion) -> str:
    prompt = version.prompt
    labels = [one.label for one in prompt.labels if one.version_id == version.id]
    about = {"name": prompt.name, "type": "chat", "prompt": _as_chat(version), "labels": labels, "tags": prompt.tags}
    return json.dumps(about | {"config": {}}, ensure_ascii=False, indent=2) + "\n"


FORMATS: dict[str, Callable[[PromptVersion], str]] = {
    "text": _as_text,
    "yaml": _as_yaml,
    "json": _as_json,
    "python": python_snippet,
    "promptfoo": _as_promptfoo,
    "langfuse": _as_langfuse,
}
"""Every format of export."""
