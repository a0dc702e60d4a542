"""What the simulated optimiser takes from its request: the prompts, the failures, what was tried, and the form of its reply."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from app.llm.simulated.brief import Brief, read
from app.ports.llm import Json, Message

Kind: TypeAlias = Literal["labels", "choice", "json", "number", "text"]

FENCED = re.compile(r"<([a-z_]+)-([0-9a-f]{6,})>\n(.*?)\n</\1-\2>", re.DOTALL)
_MOST_CHARS = re.compile(r"at most ([\d,]+) characters")
_MOST_EDITS = re.compile(r"at most (\d+) edits")


@dataclass(frozen=True)
class Row:
    """One example of the request."""

    input: str
    expected: str
    answer: str
    failed: bool

    @property
    def only_form(self) -> bool:
        """Whether the right answer stands in the wrong one."""
        return self.failed and self.expected.casefold() in self.answer.casefold()


@dataclass(frozen=True)
class Study:
    """One request to the optimiser. mends: whether it complains about an earlier reply. edits: whether it wants edits.

    locked: texts that must stay as they are.
    """

    system_prompt: str
    output_prompt: str
    rows: tuple[Row, ...]
    edits: bool
    most_edits: int
    most_chars: int
    mends: bool
    locked: tuple[str, ...] = ()

    @cached_property
    def failures(self) -> tuple[Row, ...]:
        """The rows that went wrong."""
        return tuple(row for row in self.rows if row.failed)

    @cached_property
    def brief(self) -> Brief:
        """What the current prompts say already."""
        return read(f"{self.system_prompt}\n\n{self.output_prompt}")

    @cached_property
    def kind(self) -> Kind:
        """What kind of answer is expected, judged by the expected answers alone."""
        expected = [row.expected for row in self.rows]
        if all(_is_object(text) for text in expected):
            return "json"
        if all(re.fullmatch(r"\(?[A-Z]\)?", text) for text in expected):
            return "choice"
        if all(re.fullmatch(r"[-+$€]?\d[\d,.]*%?", text) for text in expected):
            return "number"
        if all(len(text.split()) <= 3 and not text.endswith((".", "!", "?")) for text in expected):
            return "labels"
        return "text"


def study(messages: Sequence[Message], schema: Json) -> Study | None:
    """Read a request; None when it shows no prompts and failures to work on."""
    asked = next((m.content for m in messages if m.role == "user"), "")
    fenced = list(FENCED.finditer(asked))
    texts = {match[1]: match[3] for match in reversed(fenced)}
    rows = _rows(asked, fenced)
    if "system_prompt" not in texts or not any(row.failed for row in rows):
        return None
    properties = schema.get("properties", {}) if isinstance(schema, dict) else {}
    return Study(
        texts["system_prompt"],
        texts.get("output_prompt", ""),
        rows,
        edits="edits" in properties or '"edits"' in asked,
        most_edits=int(match[1]) if (match := _MOST_EDITS.search(asked)) else 3,
        most_chars=int(match[1].replace(",", "")) if (match := _MOST_CHARS.search(asked)) else 8_000,
        mends=any(m.role == "assistant" for m in messages),
        locked=tuple(match[3] for match in fenced if match[1] == "locked"),
    )


def _rows(asked: str, fenced: Sequence[re.Match[str]]) -> tuple[Row, ...]:
    """Each input with the texts that follow it up to the next input."""
    rows: list[dict[str, str]] = []
    for match in fenced:
        name = match[1]
        if name == "input":
            title = asked[max(0, match.start() - 60) : match.start()]
            rows.append({"failed": "" if "Success" in title else "yes"})
        if rows and name in ("input", "expected", "answer"):
            rows[-1].setdefault(name, match[3])
    return tuple(
        Row(row["input"], row.get("expected", "").strip(), row.get("answer", ""), bool(row["failed"])) for row in rows
    )


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
