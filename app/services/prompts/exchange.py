"""Versions as text, YAML, JSON and Python, and prompts back in from that JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import yaml
from sqlalchemy.orm import Session

from app.ports.llm import Json
from app.services.errors import Invalid, NotFound, Problem
from app.services.prompts.checks import Words, variables
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


def import_json(session: Session, text: str, *, name: str = "") -> PromptVersion:
    """Take in what the JSON export wrote: a new prompt, or a new version when there is one of that name.

    name: another name than the file's. Labels stay where they are: an import must not move "production".
    Raises: Invalid.
    """
    data = _read(text)
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


def _read(text: str) -> dict[str, Any]:
    if len(text) > LONGEST_IMPORT:
        raise Invalid([Problem("file", f"is longer than {LONGEST_IMPORT:,} characters")])
    try:
        data = json.loads(text.removeprefix("\ufeff"))
    except (json.JSONDecodeError, RecursionError) as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise Invalid([Problem("file", f"this is not JSON{where}")]) from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise Invalid([Problem("file", f'this is not a prompt exported from here: "format" is not "{FORMAT}"')])
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


FORMATS: dict[str, Callable[[PromptVersion], str]] = {
    "text": _as_text,
    "yaml": _as_yaml,
    "json": _as_json,
    "python": python_snippet,
}
"""Every format of export."""
