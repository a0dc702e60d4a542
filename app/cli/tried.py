"""The answers of a try as a terminal shows them: side by side where there is room, one after the other elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.columns import Columns
from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from app.cli.console import plain, say
from app.ports.journal import Totals
from app.services import models, runs


def show_tried(result: Mapping[str, Any], totals: Totals) -> None:
    """Print how a try came out (see services.documents.tried)."""
    if result["status"] != "done":
        click.echo(f"run {result['run']}: {result['status']}" + (f", {result['reason']}" if result["reason"] else ""))
    parts = [(one["title"], printable(_text(one)), _took(one)) for one in result["answers"]]
    if sys.stdout.isatty():
        drawn = [(title, Group(Text(text), Text(took, style="dim"))) for title, text, took in parts]
        Console(highlight=False, markup=False, emoji=False).print(side_by_side(drawn))
    else:
        for title, text, took in parts:
            click.echo(f"== {plain(title)}: {took}\n{text}\n")
    say(f"spent: {runs.spent_in_words(totals)}; run {result['run']}")


def side_by_side(parts: Sequence[tuple[str, Text | Group]]) -> Columns:
    """A box for each (title, what is in it)."""
    panels = [Panel(body, title=Text(plain(title)), title_align="left") for title, body in parts]
    return Columns(panels, equal=True, expand=True)


def printable(text: str) -> str:
    """The text's lines without control characters: an answer must not steer the terminal."""
    return "\n".join(plain(line) for line in text.replace("\r\n", "\n").split("\n"))


def _text(one: Mapping[str, Any]) -> str:
    return str(one["answer"]["text"]) if one["answer"] else "no answer"


def _took(one: Mapping[str, Any]) -> str:
    """What an answer took, in a line."""
    answer = one["answer"]
    if not answer:
        return "no answer"
    if answer["error"]:
        return f"failed ({answer['error']})"
    usage, cost = answer["usage"], answer["cost_usd"]
    parts = [
        f"first token {answer['ttft_s']:.2f} s" if answer["ttft_s"] is not None else "",
        f"whole {answer['ttlb_s']:.2f} s",
        f"{usage['prompt_tokens']} + {usage['completion_tokens']} tokens",
        "cost unknown" if cost is None else f"${cost:.6f}",
        answer["finish_reason"],
        *(models.in_words(line) for line in one["adjustments"]),
    ]
    return ", ".join(filter(None, parts))
