"""Comparisons as JSON: one shape for the API and for ``--json`` on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from app.services.comparison.examples import Row
from app.services.comparison.scores import Column, differences, sentence
from app.store.models import Run, SampleRow

Document = dict[str, Any]


def document(columns: Sequence[Column], split: str) -> Document:
    """Versions side by side. The first one's difference is null; "why" says why another one's cannot be read."""
    settings = differences([column.side.run.spec for column in columns], _PINNED)
    return {
        "split": split,
        "versions": [_version(column, split) for column in columns],
        "settings": [{"name": name, "values": values} for name, values in settings],
    }


_PINNED = frozenset({"system_prompt", "output_prompt", "instructions", "digest", "id", "notes", "candidates", "bounds"})


def _version(column: Column, split: str) -> Document:
    run, version = column.side.run, column.side.version
    return {
        "of": column.side.address,
        "run": run.id,
        "run_name": run.name,
        "simulated": run.simulated,
        "number": version.number,
        "title": column.side.title,
        "fate": version.fate,
        "system_prompt": version.system_prompt,
        "output_prompt": version.output_prompt,
        "mean": column.mean.as_json(),
        "answers": asdict(column.pace),
        "difference": column.paired.as_json() if column.paired else None,
        "comparable": column.paired is not None and not column.why,
        "why": column.why,
        "sentence": sentence(column, split),
    }


def row(one: Row, names: Sequence[str]) -> Document:
    """An example with its answers. names: of the versions, in their order."""
    return {
        "id": one.cursor,
        "case": one.case,
        "repeat": one.repeat,
        "input": one.input,
        "reference": one.reference,
        "answers": [
            {"of": name, "change": answer.change if number else None, **_answer(answer.sample)}
            for number, (name, answer) in enumerate(zip(names, one.answers, strict=True))
        ],
    }


def _answer(sample: SampleRow | None) -> Document:
    return {name: getattr(sample, name) if sample else None for name in ("outcome", "score", "response", "error")}


def result(run: Run, spent: Document) -> Document:
    """How a comparison on a dataset came out; spent: as documents.spent."""
    outcome = run.outcome or {}
    told = {name: outcome.get(name) for name in ("verdict", "sentence", "part", "n", "stopped_by", "stopped_why")}
    about = {"run": run.id, "status": run.status, "reason": run.reason, "simulated": run.simulated}
    return {**about, **told, "candidates": outcome.get("candidates", []), "delta": None, **spent}
