"""A run as one self-contained HTML page: the verdict first, then what it rests on. It runs no script and loads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup
from sqlalchemy.orm import Session

from app.core.stats.confusion import Confusion
from app.ports.llm import Json
from app.services import prompts
from app.services.runs import words
from app.services.runs.chart import Curves, draw
from app.services.runs.confusion import confusions, labels_of
from app.services.runs.examples import Pair, before_after
from app.services.runs.record import notes, totals
from app.services.runs.speed import SPEED_TITLES, speed
from app.services.runs.tables import Values, metric_rows
from app.store.models import Run

REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""The Content-Security-Policy that a report needs; it also stands in the page itself."""
_OUTCOME = ("verdict", "sentence", "test", "gap", "stopped_why", "initial", "final", "shortening")
PRINTED = 8
"""Labels up to which the report holds confusion matrices."""
SHOWN = 20
"""Examples of each kind of change in the report; all of them are in samples.csv."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a proposal, or the whole run, changed in the prompts: word diffs by title."""

    title: str
    diff: list[prompts.Op]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal as its note tells it, with what it changed in its parent."""

    note: Json
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Answers:
    """Examples whose answers changed in one way."""

    title: str
    pairs: Sequence[Pair]
    before: str = "Initial prompts"
    after: str = "Final prompts"


@dataclass(frozen=True, slots=True)
class Contender:
    """A version of a comparison on a dataset, with what differs in it from the first."""

    title: str
    changes: list[Change]


def report_html(session: Session, run: Run) -> str:
    """The report of a run; of what there is so far when it has not ended."""
    history = notes(session, run.id)
    outcome = dict.fromkeys(_OUTCOME) | (run.outcome or {})
    proposals = [note.data for note in history if note.name == "proposal"]
    baseline = [note.data for note in history if note.name == "baseline"]
    versions = {version["number"]: version for version in (*baseline, *proposals)}
    metrics = list(metric_rows(session, run))
    return _template().render(
        run=run,
        outcome=outcome,
        policy=REPORT_POLICY,
        settings=list(words.settings(run.spec)),
        spent=words.spent(totals(session, run.id)),
        metrics=metrics,
        chart=_chart(metrics),
        changes=_changes(outcome.get("initial"), outcome.get("final")),
        proposals=[Proposal(data, _changes(versions.get(data["parent"]), data)) for data in proposals],
        warnings=[note.data["text"] for note in history if note.name == "log" and note.data["level"] == "warning"],
        answers=_answers(session, run, outcome),
        benchmark=_benchmark(session, run),
        confusions=_confusions(session, run, outcome),
        split=_split(outcome),
        speeds=speed(session, run),
        speed_titles=SPEED_TITLES,
        compared=_compared(run),
        data={"run": run.id, "simulated": run.simulated, "outcome": outcome, "metrics": metrics},
    )


def _benchmark(session: Session, run: Run) -> Any:
    """What a benchmark comes to as things stand; None for another kind."""
    if run.kind != "benchmark":
        return None
    from app.services.benchmarks import judgement, results  # it stands on this package

    return judgement.summary(results.results(session, run))


def _chart(metrics: Sequence[Values]) -> Markup:
    def column(name: str) -> list[Any]:
        return [row[name] for row in metrics]

    names = ("epoch", "train", "validation", "best", "best_low", "best_high")
    return draw(Curves(*(column(name) for name in names)))


def _changes(before: Json, after: Json) -> list[Change]:
    if not before or not after:
        return []
    titles = {"system_prompt": "System prompt", "output_prompt": "Output prompt"}
    return [Change(title, prompts.word_diff(before[name], after[name])) for name, title in titles.items()]


def _answers(session: Session, run: Run, outcome: Json) -> list[Answers]:
    """Fixed and broken examples of the sealed test, or of validation when there was no test."""
    initial, final = outcome.get("initial"), outcome.get("final")
    split, names = _split(outcome), ("Initial prompts", "Final prompts")
    if run.kind == "compare" and run.spec["part"] != "all":
        initial, final, split = *_furthest(outcome.get("candidates") or []), run.spec["part"]
        names = (initial["name"], final["name"]) if initial and final else names
    if not initial or not final or initial["digest"] == final["digest"]:
        return []
    found = []
    for change, title in (("fixed", "Fixed"), ("broken", "Broken"), ("unscored", "Not scored in both")):
        pairs = before_after(session, run, initial["digest"], final["digest"], split=split, change=change, limit=SHOWN)
        found.append(Answers(f"{title} ({split})", pairs, *names))
    return [answers for answers in found if answers.pairs]


def _furthest(candidates: Sequence[Json]) -> tuple[Json, Json]:
    """The first version of a comparison, and the one that differs from it the most; None without any."""
    measured = [one for one in candidates if one["paired"] and one["paired"]["delta"] is not None]
    if not measured:
        return None, None
    return candidates[0], max(measured, key=lambda one: abs(one["paired"]["delta"]))


def _compared(run: Run) -> list[Contender]:
    """What differs in each version of a comparison from the first."""
    versions = run.spec["candidates"] if run.kind == "compare" else []
    return [
        Contender(f"{one['name']}, against {versions[0]['name']}", _changes(versions[0], one)) for one in versions[1:]
    ]


def _split(outcome: Json) -> str:
    """The sealed test, or validation when there was no test."""
    return "test" if outcome.get("test") else "validation"


def _confusions(session: Session, run: Run, outcome: Json) -> list[tuple[str, Confusion]]:
    """The initial and the final prompts, where the labels are so few that a page of paper holds them."""
    labels = labels_of(session, run)
    if labels is None or len(labels.names) > PRINTED or not outcome.get("final"):
        return []
    titles = {
        outcome[which]["digest"]: f"{which.capitalize()} prompts" for which in ("final", "initial") if outcome[which]
    }
    found = confusions(session, run, list(titles), _split(outcome))
    return [(title, found[digest]) for digest, title in reversed(titles.items()) if digest in found]


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    formats = (words.score, words.signed, words.points, words.mean, words.p_value, words.moment, words.measured)
    environment.filters.update({format.__name__: format for format in formats})
    return environment.get_template("report.html")
