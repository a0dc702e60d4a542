"""A small run of every kind in the catalogue, so that each kind's crashes are tested from the day it is there."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import ROOT, Settings
from app.core import scorers
from app.llm.gateway import Gateway
from app.ports.llm import CallError, Json, Request
from app.services import benchmarks, comparison, datasets, playground, prompts, rejudging, runs, training
from app.services.drive import drive
from app.store.database import Database
from app.store.models import Run
from tests.fakes.llm import RuleLLM
from tests.fakes.rule_optimizer import propose
from tests.fakes.rule_world import RuleWorld

SAMPLE = ROOT / "data/samples/support_intents.csv"
ROWS = 40
OPTIMIZER, REVIEWER = "simulated/optimizer", "simulated/judge"


@dataclass(frozen=True)
class Small:
    """A run of one kind that a worker does within a second.

    queue: stores it with whatever it needs and returns its id; the mapping changes what is asked for.
    rule: what its models say. late: a commit that it surely comes to, with four calls at a time.
    least: crashes at the least, when it dies before and after every commit with one call at a time. writes: to its journal, at
    the least.
    """

    queue: Callable[[Session, Mapping[str, Any]], str]
    rule: Callable[[Request], str]
    late: int = 30
    least: int = 200
    writes: int = 50


def small(kind: str) -> Small:
    """The small run of a kind. Raises: AssertionError, in words, for a kind that has none."""
    assert kind in SMALL, (
        f"the kind {kind!r} has no small run: add one to {Path(__file__).name}, so that it is crashed too"
    )
    return SMALL[kind]


def dataset(session: Session, rows: int = ROWS) -> str:
    """Name of a dataset with the first rows of every label of the bundled sample."""
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        head, *found = csv.reader(file)
    text = io.StringIO()
    csv.writer(text).writerows([head, *[found[i] for step in range(7) for i in range(step, len(found), 7)][:rows]])
    return datasets.import_file(session, io.BytesIO(text.getvalue().encode()), f"small{rows}.csv").name


def _queue_training(session: Session, changes: Mapping[str, Any]) -> str:
    spec, _ = _spec(session, changes)
    return training.start(session, spec).id


def _queue_plan(session: Session, changes: Mapping[str, Any]) -> str:
    spec, gateway = _spec(session, {"split": "80/10/10", "pilot_examples": 32} | dict(changes))
    return training.start(session, training.planned(session, spec, gateway=gateway), kind="plan").id


def _queue_comparison(session: Session, changes: Mapping[str, Any]) -> str:
    """Three versions on the validation examples; of a training's changes only those that a comparison has too."""
    settings = Settings()
    name = dataset(session)
    for number, system in enumerate(("Classify the message.", "Classify the message. Be brief.", "Choose a category.")):
        if f"text {number}" not in {one.name for one in prompts.list_prompts(session)}:
            prompts.create(session, f"text {number}", kind="pair", system_prompt=system)
    asked: dict[str, Any] = {
        "version": ["text 0", "text 1@1", "text 2"],
        "dataset": name,
        "part": "validation",
        "split": "50/30/20",
        "primary_model": "simulated/primary",
        "concurrency": 4,
        "cache": "off",
    }
    asked |= {key: value for key, value in changes.items() if key in comparison.FIELDS}
    spec = comparison.parse(session, asked, settings=settings, gateway=Gateway(settings, {}))
    return comparison.start(session, spec).id


def _spec(session: Session, changes: Mapping[str, Any]) -> tuple[Json, Gateway]:
    settings = Settings()
    gateway = Gateway(settings, {})
    form = {
        "dataset": dataset(session),
        "prompt": "small",
        "system_prompt": "Classify the message.",
        "primary_model": "simulated/primary",
        "optimizer_model": OPTIMIZER,
        "strategy": "full_rewrite",
        "split": "50/30/20",
        "epochs": 3,
        "batch_size": 8,
        "concurrency": 4,
        "seed": 8,
        "cache": "off",
        "shorten": "offer",
        "shorten_margin": 0.5,
        "shorten_answers": 36,
    }
    return training.parse(session, form | changes, settings=settings, gateway=gateway), gateway


def _answer(request: Request) -> str:
    messages = [{"role": m.role, "content": m.content} for m in request.messages]
    return propose(messages, junk=0.3) if request.model.name == OPTIMIZER else RuleWorld().answer(messages)


def drive_to_end(session: Session, run_id: str, rule: Callable[[Request], str | CallError] = _answer) -> RuleLLM:
    """Do a worker's work on a small run; returns the models with what they were paid for."""
    llm = RuleLLM(rule)
    url = session.get_bind().engine.url.render_as_string(hide_password=False)

    def work() -> str:
        with Database(url) as database:
            return drive(run_id, database=database, open_llm=lambda: llm, owner="test", lease_s=20)

    with ThreadPoolExecutor(1) as own:  # a test may be in an event loop
        assert own.submit(work).result() == "done"
    return llm


def _queue_rejudging(session: Session, changes: Mapping[str, Any]) -> str:
    """A finished training judged again with other minibatches, of which the missing answers are bought.

    The training of an earlier one with the same changes does again: what is judged is told by its id.
    """
    done = session.scalars(select(Run).where(Run.kind == "train", Run.status == "done"))
    run = next((one for one in done if changes.items() <= one.spec.items()), None)
    if run is None:
        run_id = _queue_training(session, changes)
        drive_to_end(session, run_id)
        run = runs.get(session, run_id)
    settings, asked = Settings(), {"seed": 3, "missing": "buy", "scorer": ["similarity"]}
    spec = rejudging.parse(
        session, run, asked, settings=settings, gateway=Gateway(settings, {}), tools=scorers.NO_TOOLS
    )
    return rejudging.start(session, spec).id


def _queue_benchmark(session: Session, changes: Mapping[str, Any]) -> str:
    """Two runs of three prompts with three configs, each reviewed."""
    settings = Settings()
    names = ["simulated/primary", "simulated/writer", OPTIMIZER]
    lines = "\n".join(json.dumps({"prompt": f"Say {word}."}) for word in ("one", "two", "three"))
    form = {"jsonl": lines, "models": names, "reviewer_model": REVIEWER, "runs": 2, "concurrency": 4, "cache": "off"}
    spec = benchmarks.parse(session, form | changes, settings=settings, gateway=Gateway(settings, {}))
    return benchmarks.start(session, spec).id


def _compared(request: Request) -> str:
    """Every model answers by its name; the reviewer prefers by label, and now and then has to be asked again."""
    if request.model.name != REVIEWER:
        return f"{request.model.name} says: {request.messages[-1].content}"
    item = request.response_schema["properties"]["rankings"]["items"]["properties"]
    labels = item["label"]["enum"]
    if len(request.messages) == 2 and "Say two." in request.messages[-1].content:
        labels = labels[:1] * len(labels)
    details = dict.fromkeys(item["criteria_scores"]["properties"], 5)
    rows = [
        {"label": label, "rank": n, "overall_score": 10 - n, "comment": "So it is.", "criteria_scores": details}
        for n, label in enumerate(labels, start=1)
    ]
    return json.dumps({"rankings": rows})


def _queue_try(session: Session, changes: Mapping[str, Any]) -> str:
    settings = Settings()
    asked = {
        "models": ["simulated/primary", OPTIMIZER, "simulated/judge"],
        "system_prompt": "Classify the message.",
        "input": "Where is my parcel?",
    }
    spec, _ = playground.parse(session, asked, settings=settings, gateway=Gateway(settings, {}))
    return playground.start(session, spec | {key: changes[key] for key in changes if key in spec}).id


SMALL: dict[str, Small] = {
    "benchmark": Small(_queue_benchmark, _compared, late=8, least=100),
    "train": Small(_queue_training, _answer),
    "rejudge": Small(_queue_rejudging, _answer, least=100),
    "compare": Small(_queue_comparison, _answer, late=8, least=80),
    "plan": Small(_queue_plan, _answer, late=8, least=100),
    "try": Small(_queue_try, _answer, late=2, least=6, writes=10),
}
