"""Each event of a run as one line of its log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.store.models import Event
from app.web.fmt import p_value, score, signed, span

Data = Mapping[str, Any]

KINDS = ("decision", "reasoning", "warning", "wait", "info")
"""What a line is about; the filter of the log offers these."""


@dataclass(frozen=True)
class Line:
    """One line: what it is about, the words, and further text to unfold."""

    id: int
    at: dt.datetime
    kind: str
    text: str
    more: str = ""


def lines(event: Event) -> list[Line]:
    """The lines that an event makes; progress makes none, a proposal makes two."""
    data = event.data if isinstance(event.data, dict) else {}
    teller = _TELLERS.get(event.name)
    made = [Line(event.id, event.at, kind, text) for kind, text in (teller(data) if teller else ())]
    if event.name == "proposal" and data.get("reasoning"):
        made.append(Line(event.id, event.at, "reasoning", f"Why {_name(data)}", str(data["reasoning"])))
    return made


def _name(data: Data) -> str:
    return f"proposal {data.get('number')}"


def _of(figure: Data | None) -> str:
    if not figure:
        return "not scored"
    return f"{score(figure.get('mean'))} ({figure.get('n')} of {figure.get('asked')})"


def _plan(d: Data) -> list[tuple[str, str]]:
    rows = f"{d.get('train_n')} train, {d.get('validation_n')} validation, {d.get('test_n')} test examples"
    rule = f"batches of {d.get('batch_size')}, strategy {d.get('strategy')}, acceptance by {d.get('acceptance')}"
    return [("info", f"Plan: {rows}; up to {d.get('epochs')} epochs, {rule}")]


def _pilot(d: Data) -> list[tuple[str, str]]:
    asked = f"{d.get('examples')} of {d.get('train_n')} train examples, each asked {d.get('repeats')} times"
    return [("info", f"Pilot: {asked}")]


def _baseline(d: Data) -> list[tuple[str, str]]:
    return [("decision", f"Baseline: the initial prompts score {_of(d.get('validation'))} on validation")]


def _candidate(d: Data) -> list[tuple[str, str]]:
    place = "compared with the first" if d.get("number") else "the first, which the others are compared with"
    return [("info", f"{d.get('title')}: {place}")]


def _epoch(d: Data) -> list[tuple[str, str]]:
    source = "the initial prompts" if d.get("parent") == 0 else f"proposal {d.get('parent')}"
    return [
        (
            "info",
            f"Epoch {d.get('epoch')}: {source} scores {_of(d.get('batch'))} on the minibatch, {d.get('failures')} failures",
        )
    ]


def _proposal(d: Data) -> list[tuple[str, str]]:
    words = f"Epoch {d.get('epoch')}: {_name(d)} ({d.get('strategy')}) {d.get('fate')}"
    return [("decision", f"{words}: {d['why']}" if d.get("why") else words)]


def _epoch_end(d: Data) -> list[tuple[str, str]]:
    best = "the initial prompts" if d.get("best_number") == 0 else f"proposal {d.get('best_number')}"
    return [("info", f"Epoch {d.get('epoch')} done: best is {best} with {_of(d.get('best'))} on validation")]


def _test(d: Data) -> list[tuple[str, str]]:
    paired = d.get("paired") or {}
    figures = f"initial {_of(d.get('initial'))}, final {_of(d.get('final'))}"
    return [
        (
            "decision",
            f"Sealed test: {figures}, difference {signed(paired.get('delta'))}, {p_value(paired.get('p_value'))}",
        )
    ]


def _verdict(d: Data) -> list[tuple[str, str]]:
    return [("decision", str(d.get("sentence") or d.get("verdict")))]


def _shortening(d: Data) -> list[tuple[str, str]]:
    fates = [unit.get("fate") for unit in d.get("units") or ()]
    tried = len(fates) - fates.count("fixed")
    found = (
        f"{fates.count('dropped')} of {tried} sentences can be left out"
        if d.get("offer")
        else "nothing can be left out"
    )
    ended = f"; ended early: {d['stopped']}" if d.get("stopped") else ""
    return [("decision", f"Shortening: {found}, after {d.get('answers')} answers{ended}")]


def _shortened(d: Data) -> list[tuple[str, str]]:
    return [("decision", str(d.get("sentence")))]


def _benchmark(d: Data) -> list[tuple[str, str]]:
    asked = f"{d.get('prompts')} prompts with {len(d.get('configs') or ())} configs"
    return [("info", f"Benchmark: {asked}, {d.get('runs')} runs, {d.get('repeats')} answers to each prompt in each")]


def _answers(d: Data) -> list[tuple[str, str]]:
    failed = [f"{one['config']} {one['failed']}" for one in d.get("standings") or () if one["failed"]]
    lines = [("info", f"Run {d.get('number')}: {d.get('asked')} answers asked for")]
    return [*lines, ("warning", f"No answer so far: {', '.join(failed)}")] if failed else lines


def _review(d: Data) -> list[tuple[str, str]]:
    if d.get("error"):
        return [("warning", f"Review of {d.get('case')}, run {d.get('run')}: {d['error']}")]
    order = " > ".join(str(one["config"]) for one in d.get("places") or ())
    return [("reasoning", f"Review of {d.get('case')}, run {d.get('run')}: {order}")]


def _run_end(d: Data) -> list[tuple[str, str]]:
    scored = [one for one in d.get("standings") or () if one["score"] is not None]
    best = sorted(scored, key=lambda one: -one["score"])[:3]
    led = ": " + ", ".join(f"{one['config']} {one['score']:.2f} (n = {one['reviews']})" for one in best) if best else ""
    return [("decision", f"Run {d.get('number')} done{led}")]


def _log(d: Data) -> list[tuple[str, str]]:
    return [("warning" if d.get("level") == "warning" else "info", str(d.get("text")))]


def _wait(d: Data) -> list[tuple[str, str]]:
    return [("wait", f"Waiting {span(d.get('seconds'))} for {d.get('model')}: {d.get('why')}")]


def _status(d: Data) -> list[tuple[str, str]]:
    reason = f": {d['reason']}" if d.get("reason") else ""
    return [("decision", f"The run is {d.get('status')}{reason}")]


_TELLERS: dict[str, Callable[[Data], list[tuple[str, str]]]] = {
    "plan": _plan,
    "pilot": _pilot,
    "advice": _verdict,
    "baseline": _baseline,
    "candidate": _candidate,
    "epoch": _epoch,
    "proposal": _proposal,
    "epoch_end": _epoch_end,
    "test": _test,
    "verdict": _verdict,
    "shortening": _shortening,
    "shortened": _shortened,
    "benchmark": _benchmark,
    "answers": _answers,
    "review": _review,
    "run_end": _run_end,
    "standings": _verdict,
    "log": _log,
    "wait": _wait,
    "status": _status,
}

EVENTS = tuple(_TELLERS)
"""Names of the events that make lines."""
