"""A run as it happens: a progress bar on a terminal, plain lines elsewhere. Reads the same events as the pages."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from app.cli.console import plain, say, stderr
from app.services import runs
from app.store.database import Database
from app.store.models import Run

POLL_S = 0.3
OVER = frozenset({"done", "failed", "cancelled"})
PAGE = 500


class Watcher:
    """Follows one run and prints what happens in it on stderr.

    quiet: print nothing, only wait.
    """

    def __init__(self, database: Database, run_id: str, *, quiet: bool = False) -> None:
        self._database = database
        self._run_id = run_id
        self._quiet = quiet
        self._bar = Bar() if sys.stderr.isatty() and not quiet else None

    def follow(self, stop: threading.Event, *, until_paused: bool = True) -> Run:
        """Return the run once it is over (or paused, if until_paused), or when stop is set."""
        seen = 0
        with self._database.session() as session:
            if runs.get(session, self._run_id).simulated and not self._quiet:
                say("The models of this run are simulated.")
        with self._bar.shown() if self._bar else nullcontext():
            while True:
                with self._database.session() as session:
                    run = runs.get(session, self._run_id)  # before the events: then the last ones are never missed
                    fresh = runs.events(session, self._run_id, seen, PAGE)
                for event in fresh:
                    seen = event.id
                    self._tell(event.name, event.data)
                at_rest = run.status in OVER or (until_paused and run.status == "paused")
                if len(fresh) < PAGE and (at_rest or stop.wait(POLL_S)):
                    return run

    def _tell(self, name: str, data: Any) -> None:
        if self._quiet:
            return
        if self._bar and name == "progress":
            self._bar.move(data)
        elif line := line_of(name, data):
            if self._bar:
                self._bar.say(line)
            else:
                say(line)


class Bar:
    """The progress bar of a run, with its lines above it."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[spent]}"),
            TimeElapsedColumn(),
            console=stderr(),
            transient=True,
        )
        self._task: TaskID | None = None

    def shown(self) -> Progress:
        """To be used as a context: the bar is drawn while it lasts."""
        self._task = self._progress.add_task("waiting for a worker", total=1.0, spent="")
        return self._progress

    def move(self, data: Any) -> None:
        """Draw what a progress event says."""
        if self._task is not None:
            description = f"{data['stage']} {data['done']}/{data['total']}"
            self._progress.update(
                self._task, completed=data["fraction"], description=plain(description), spent=_spent(data)
            )

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._progress.console.print(line)


def _spent(data: Any) -> str:
    parts = [f"{data['calls']:,} calls"]
    if data.get("cost_usd"):
        parts.append(f"${data['cost_usd']:.4f}")
    if data.get("eta_s") is not None:
        parts.append(f"about {_duration(data['eta_s'])} left")
    return " · ".join(parts)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def line_of(name: str, data: Any) -> str:
    """An event as a line for people; "" for those that are not worth one."""
    teller = _LINES.get(name)
    return plain(teller(data)) if teller else ""


def _plan(data: Any) -> str:
    return (
        f"{data['train_n']} train, {data['validation_n']} validation, {data['test_n']} test examples; "
        f"up to {data['epochs']} epochs of {data['batch_size']}, strategy {data['strategy']}"
    )


def _mean(data: Any) -> str:
    if data is None or data["mean"] is None:
        return "not measured"
    return f"{data['mean']:.3f} ({data['n']}/{data['asked']} scored)"


def _proposal(data: Any) -> str:
    head = f"epoch {data['epoch']}: proposal {data['number']} ({data['strategy']}) {data['fate']}"
    score = f", validation {_mean(data['validation'])}" if data.get("validation") else ""
    return head + score + (f": {data['why']}" if data["why"] else "")


def _epoch_end(data: Any) -> str:
    return f"epoch {data['epoch']} ends: best validation {_mean(data['best'])}, proposal {data['best_number']}"


def _test(data: Any) -> str:
    paired = data["paired"]
    if paired["delta"] is None:
        return "sealed test: too few examples were scored"
    return (
        f"sealed test: initial {_mean(data['initial'])}, final {_mean(data['final'])}, "
        f"difference {paired['delta']:+.3f} [{paired['low']:+.3f}, {paired['high']:+.3f}], p = {paired['p_value']:.3g}"
    )


def _shortening(data: Any) -> str:
    dropped = [unit for unit in data["units"] if unit["fate"] == "dropped"]
    return f"shortening: {len(dropped)} of {len(data['units'])} sentences left out, after {data['answers']} answers"


def _status(data: Any) -> str:
    return f"{data['status']}: {data['reason']}" if data.get("reason") else str(data["status"])


def _pilot(data: Any) -> str:
    return f"pilot: {data['examples']} of {data['train_n']} train examples, each asked {data['repeats']} times"


def _answers(data: Any) -> str:
    failed = [f"{one['config']} {one['failed']}" for one in data["standings"] if one["failed"]]
    return f"run {data['number']}: {data['asked']} answers" + (
        f"; missing so far: {', '.join(failed)}" if failed else ""
    )


def _run_end(data: Any) -> str:
    scored = sorted((one for one in data["standings"] if one["score"] is not None), key=lambda one: -one["score"])
    told = ", ".join(f"{one['config']} {one['score']:.2f}" for one in scored[:3])
    return f"run {data['number']} ends" + (f": {told}" if told else "")


_LINES: dict[str, Callable[[Any], str]] = {
    "plan": _plan,
    "pilot": _pilot,
    "baseline": lambda data: f"baseline: validation {_mean(data['validation'])}",
    "proposal": _proposal,
    "epoch_end": _epoch_end,
    "test": _test,
    "verdict": lambda data: f"verdict: {data['verdict']}. {data['sentence']}",
    "log": lambda data: f"{data['level']}: {data['text']}" if data["level"] == "warning" else str(data["text"]),
    "wait": lambda data: f"waiting {data['seconds']:.0f} s for {data['model']}: {data['why']}",
    "status": _status,
    "shortening": _shortening,
    "benchmark": lambda data: f"{data['prompts']} prompts, {len(data['configs'])} configs, {data['runs']} runs",
    "answers": _answers,
    "run_end": _run_end,
    "review": lambda data: f"warning: review of {data['case']}: {data['error']}" if data["error"] else "",
    "standings": lambda data: data["sentence"],
    "shortened": lambda data: f"shorter: {data['sentence']}",
}
