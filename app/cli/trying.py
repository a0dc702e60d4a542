"""``whetstone try``: one input, several models side by side, answered in this terminal while they speak."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import click
from rich.columns import Columns
from rich.live import Live
from rich.text import Text

from app import wiring
from app.cli import foreground
from app.cli.console import Exit, Refused, emit, json_option, plain, say, text_or_file
from app.cli.tried import printable, show_tried, side_by_side
from app.ports.llm import Json
from app.services import documents, models, playground, runs
from app.services.errors import Problem
from app.store.models import Run

REFRESHES = 8
"""Times a second that the terminal is drawn anew."""
TAIL = 1_500
"""Characters of an answer that are shown while it comes: its end is what changes."""


@click.command("try")
@click.argument("text", metavar="TEXT_OR_FILE", required=False, default="")
@click.option("--model", "asked", multiple=True, metavar="MODEL", help="Who answers; may be repeated, up to six times.")
@click.option("--prompt", metavar="NAME", help="Prompt of the library: name, name@version or name@label.")
@click.option("--system-prompt", metavar="TEXT_OR_FILE", help="What the models are told first.")
@click.option("--output-prompt", metavar="TEXT_OR_FILE", help="Text after the input.")
@click.option(
    "--var", "variables", multiple=True, metavar="NAME=VALUE", help="Value of a {{variable}}; may be repeated."
)
@click.option("--temperature", metavar="NUMBER", help="Temperature of models that are no configs.")
@click.option("--max-output-tokens", metavar="N", help="Most tokens of one answer.")
@click.option("--yes", is_flag=True, help="Do not ask, whatever it may cost.")
@json_option
def try_(text: str, asked: Sequence[str], variables: Sequence[str], yes: bool, as_json: bool, **form: Any) -> int:
    """Ask one or several models, and see the answers side by side with what they took."""
    given = {"input": text, **form}
    texts = {field: text_or_file(field, given[field] or "") for field in ("input", "system_prompt", "output_prompt")}
    raw = {**given, **texts, "models": list(asked), "variables": dict(_variable(one) for one in variables)}
    gateway, settings = wiring.open_llm(), wiring.settings()
    with wiring.database().session() as session:
        spec, prompt_id = playground.parse(session, raw, settings=settings, gateway=gateway)
        _announce(spec, playground.estimate(spec, gateway), settings.budget.confirm_usd, yes)
        run = playground.start(session, spec, prompt_id=prompt_id)
    waited = _watched(run)
    with wiring.database().session() as session:
        ended = runs.get(session, run.id)
        cards, totals = playground.cards(session, ended), runs.totals(session, run.id)
    result = documents.tried(ended, cards, totals)
    emit(result, as_json, lambda: show_tried(result, totals))
    if waited.interrupted or ended.status == "cancelled":
        return Exit.STOPPED
    answered = any(card.state == "answered" for card in cards)
    return Exit.DONE if ended.status == "done" and answered else Exit.FAILED


def _variable(given: str) -> tuple[str, str]:
    name, sign, value = given.partition("=")
    if not sign or not name.strip():
        raise Refused([Problem("var", f"write NAME=VALUE, not {given[:80]!r}")])
    return name.strip(), value


def _announce(spec: Json, found: playground.Estimate, limit: float, yes: bool) -> None:
    """Say what it may cost and what is sent otherwise; ask before it may cost more than the limit."""
    question = f"This may cost up to ${found.usd_high:.2f}, more than budget.confirm_usd (${limit:.2f})"
    costly = found.usd_high > limit and not yes
    if costly and not sys.stdin.isatty():
        raise Refused([Problem("yes", f"{question}; give --yes to start it all the same")])
    if any(one["name"].startswith("simulated/") for one in spec["models"]):
        say("A model of this try is simulated.")
    say(playground.in_words(found))
    for pinned in spec["models"]:
        for one in pinned.get("adjustments", ()):
            say(f"note: {plain(pinned['name'])}: {models.in_words(one)}")
    if costly:
        click.confirm(f"{question}. Start it?", abort=True, err=True)


def _watched(run: Run) -> foreground.Waited:
    """Drive the run here; on a terminal the answers are drawn while they come."""
    titles = [_title(one) for one in run.spec["models"]]
    ear = TerminalEar(titles)
    with Live(ear, refresh_per_second=REFRESHES, transient=True) if sys.stdout.isatty() else nullcontext():
        return foreground.here(run.id, ear=ear, quiet=True)


def _title(pinned: Json) -> str:
    return str(pinned["config"]["name"] if pinned.get("config") else pinned["name"])


class TerminalEar:
    """Implements app.ports.live.Ear: keeps what is said, and draws it whenever the terminal asks."""

    def __init__(self, titles: Sequence[str]) -> None:
        self._titles = titles
        self._texts = [""] * len(titles)
        self._lock = threading.Lock()

    def listener(self, key: str) -> _Listener:
        """See the port."""
        return _Listener(self, int(key))

    def close(self) -> None:
        """See the port; there is nothing to release."""

    def say(self, number: int, text: str, *, anew: bool = False) -> None:
        """More of an answer, or the beginning of it."""
        with self._lock:
            self._texts[number] = "" if anew else (self._texts[number] + text)[-TAIL:]

    def __rich__(self) -> Columns:
        with self._lock:
            texts = list(self._texts)
        return side_by_side([(t, Text(printable(s) or "...")) for t, s in zip(self._titles, texts, strict=True)])


class _Listener:
    """Hears one answer."""

    def __init__(self, ear: TerminalEar, number: int) -> None:
        self._ear, self._number = ear, number

    def begin(self) -> None:
        """See app.ports.llm.Listener."""
        self._ear.say(self._number, "", anew=True)

    def hear(self, text: str) -> None:
        """See app.ports.llm.Listener."""
        self._ear.say(self._number, text)
