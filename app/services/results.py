"""How runs came out, each kind in a shape of its own; spent: as documents.spent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.services.playground.answers import Card, finished
from app.store.models import Run

Document = dict[str, Any]


def plan(row: Run, spent: Document) -> Document:
    """What a plan says about its training; null what was not measured (see app.core.kinds.advice)."""
    outcome = row.outcome or {}
    figures = (
        "pilot",
        "noise",
        "detectable",
        "needed",
        "worth",
        "alpha",
        "power",
        "alike",
        "split",
        "repeats",
        "expected",
    )
    return {
        "run": row.id,
        "status": row.status,
        "reason": row.reason,
        "verdict": outcome.get("verdict"),
        "sentence": outcome.get("sentence"),
        "simulated": row.simulated,
        "advice": outcome.get("advice", []),
        **{name: outcome.get(name) for name in figures},
        "stopped_by": None,
        **spent,
    }


def tried(row: Run, cards: Sequence[Card], spent: Document) -> Document:
    """The answers of a try; answer is null while there is none, and its cost_usd while the price is unknown."""
    told = ("number", "model", "title", "state", "answer", "adjustments")
    answers = [{name: getattr(one, name) for name in told} for one in cards]
    about = {"run": row.id, "status": row.status, "reason": row.reason, "simulated": row.simulated}
    return {**about, "answers": answers, **spent}


def attempt(row: Run, spent: Document) -> Document:
    """How a try came out; it rules on nothing."""
    return tried(row, finished(row), spent) | {"verdict": None, "sentence": None}


def benchmark(row: Run, spent: Document) -> Document:
    """How a benchmark's configs stand with its reviewer; what people say is told by app.services.benchmarks.documents."""
    outcome = row.outcome or {}
    names = ("verdict", "sentence", "standings", "runs", "stopped_by", "stopped_why")
    about = {"run": row.id, "status": row.status, "reason": row.reason, "simulated": row.simulated}
    return {**about, **{name: outcome.get(name) for name in names}, **spent}


def training(row: Run, spent: Document) -> Document:
    """How a training came out, on the sealed test alone; null what was not measured."""
    outcome = row.outcome or {}
    test = outcome.get("test") or {}
    paired = test.get("paired") or {}
    return {
        "run": row.id,
        "status": row.status,
        "reason": row.reason,
        "verdict": outcome.get("verdict"),
        "sentence": outcome.get("sentence"),
        "simulated": row.simulated,
        "baseline": (test.get("initial") or {}).get("mean"),
        "final": (test.get("final") or {}).get("mean"),
        "delta": paired.get("delta"),
        "interval": [paired["low"], paired["high"]] if paired.get("delta") is not None else None,
        "p_value": paired.get("p_value"),
        "stopped_by": outcome.get("stopped_by"),
        "stopped_why": outcome.get("stopped_why"),
        "shorter": _shorter(outcome.get("shortening")),
        **spent,
    }


def _shorter(found: Any) -> Document | None:
    """What came of the shortening; null when nobody asked for it. version: its number in the run, null when there is none."""
    if not found:
        return None
    return {
        "version": (found["offer"] or {}).get("number"),
        "usable": found["usable"],
        "sentence": found["sentence"],
        "tokens_before": found["tokens_before"],
        "tokens_after": found["tokens_after"],
    }
