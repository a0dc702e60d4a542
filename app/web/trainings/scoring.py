"""The scorers in the form: a row each, with the settings of the chosen one as fields of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from werkzeug.datastructures import FileStorage

from app.core import scorers
from app.core.scorers.setting import LONGEST, WEIGHT, Setting
from app.core.storable import storable
from app.ports.llm import Json
from app.services.errors import Problem
from app.services.menus import scorer_menu

MOST = 6
"""Scorers that the form combines."""


@dataclass(frozen=True)
class ScorerRow:
    """A scorer in the form.

    values: by setting, as text ("1" and "" for yes and no); what is missing is the default. unread: why a file that was sent
    for a setting could not be taken.
    """

    name: str
    values: Mapping[str, str] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)

    def shown(self, setting: Setting) -> str:
        """What stands in the setting's field."""
        return self.values.get(setting.name, as_text(setting, setting.default))


def as_text(setting: Setting, value: Json) -> str:
    """A value as its field shows it."""
    if setting.kind == "bool":
        return "1" if value else ""
    if setting.kind == "list":
        return ", ".join(value)
    if setting.kind == "json":
        return json.dumps(value, ensure_ascii=False, indent=2) if value else ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def from_form(form: Mapping[str, str], files: Mapping[str, FileStorage]) -> tuple[ScorerRow, ...]:
    """The rows that were sent. When the choice of a row has changed, its fields still belong to the choice before."""
    rows = []
    for at in range(MOST):
        name = form.get(f"scorer-{at}")
        if name is None:
            break
        known = {one.name: one for one in _settings(name)}
        values, unread = {}, {}
        if form.get(f"scorer-{at}-of") == name:
            values = {key: lines(form.get(f"scorer-{at}-{key}", "")) for key in known}
            for key in [one.name for one in known.values() if one.kind == "file"]:
                try:
                    values[key] = _uploaded(files.get(f"scorer-{at}-{key}-upload")) or values[key]
                except ValueError as error:
                    unread[key] = str(error)
        if f"scorer-{at}-weight" in form:
            values[WEIGHT.name] = form[f"scorer-{at}-weight"]
        rows.append(ScorerRow(name, values, unread))
    return tuple(rows)


def _uploaded(sent: FileStorage | None) -> str:
    """The text of a file that was sent, "" when there was none. Raises: ValueError."""
    content = b""
    if sent:
        content = sent.stream.read(4 * LONGEST + 1)
        sent.close()
    try:
        text = lines(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("the file is no text in UTF-8") from None
    if len(text) > LONGEST:
        raise ValueError(f"the file has more than {LONGEST:,} characters")
    return text


def lines(text: str) -> str:
    """Browsers send CRLF; the same text from page and command line must be the same."""
    return storable(text.replace("\r\n", "\n"))


def from_texts(texts: Sequence[str]) -> tuple[ScorerRow, ...]:
    """The rows of scorers as a spec or a setting writes them; what cannot be read is left out."""
    rows = []
    for text in texts[:MOST]:
        try:
            spec = scorers.parse(text)
        except ValueError:
            continue
        known = [*scorers.settings(spec["name"]), WEIGHT]
        rows.append(ScorerRow(spec["name"], {one.name: as_text(one, spec[one.name]) for one in known}))
    return tuple(rows) or (ScorerRow(next(iter(scorers.SCORERS))),)


def read(rows: Sequence[ScorerRow]) -> tuple[list[str], list[Problem]]:
    """The scorers as a training takes them, and what is wrong, by the field where it stands."""
    texts, problems = [], []
    for at, row in enumerate(rows):
        spec: dict[str, Json] = {"name": row.name}
        problems += [Problem(f"scorer-{at}-{key}", why) for key, why in row.unread.items()]
        for setting in [*_settings(row.name), *([WEIGHT] if len(rows) > 1 else [])]:
            text = row.values.get(setting.name)
            if text is None or (not text.strip() and setting.kind in ("int", "float", "json")):
                continue
            try:
                spec[setting.name] = setting.read(text) if setting.kind != "bool" else bool(text)
            except ValueError as error:
                problems.append(Problem(f"scorer-{at}-{setting.name}", str(error)))
        texts.append(json.dumps(spec, ensure_ascii=False))
    return texts, problems


def _settings(name: str) -> list[Setting]:
    return next((list(choice.settings) for choice in scorer_menu() if choice.name == name), [])
