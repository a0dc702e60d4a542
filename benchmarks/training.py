"""A whole training, driven as a worker drives it: dataset, spec, journal and outcome in the database.

A training cannot keep all places busy: it asks the optimiser alone, and a stage ends before the next one begins. So there are
two ideals: calls x latency / concurrency, and the sum over its stages of the rounds that each needs.
"""

from __future__ import annotations

import csv
import io
import math
import statistics
from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import select

from app.config import load as load_settings
from app.llm.gateway import Gateway
from app.services import datasets, training
from app.store.database import Database
from app.store.models import Event
from benchmarks.driver import KEYS
from benchmarks.efficiency import LATENCY_S
from benchmarks.report import Cell, Table
from benchmarks.setting import Load, Provider, Took, drive, postgresql, provider, sqlite

ROWS, SPLIT, BATCH = 1280, "70/20/10", 128
"""About 1,000 calls: a baseline of 256, a minibatch of 128, its proposal, gate and validation, a sealed test of 2 x 128."""


def measure(quick: bool) -> list[Table]:
    """The tables of this measurement."""
    databases: dict[str, Callable[[], AbstractContextManager[str]]] = {"SQLite": sqlite}
    if not quick:
        databases["PostgreSQL"] = postgresql
    rows: list[list[Cell]] = []
    with provider(LATENCY_S) as mock:
        for name, opened in databases.items():
            with opened() as url:
                places = (64,) if quick else (64, 256)
                rows += [[name, most, *_figures(mock, url, most, quick=quick)] for most in places]
    return [
        Table(
            f"Training: calls of {1000 * LATENCY_S:g} ms",
            ("journal in", "under way at most", "calls", "efficiency", "rounds needed / taken", "CPU per call, ms"),
            rows,
            [
                "Efficiency = calls x latency / concurrency / actual. Rounds = what the stages need one after the other, each "
                "call at its latency, over the actual time; 1 is the best that any engine could do with this training."
            ],
        )
    ]


def _figures(mock: Provider, url: str, concurrency: int, *, quick: bool) -> list[Cell]:
    calls, needed_s, walls, cpus = 0, 0.0, [], []
    for _ in range(1 if quick else 3):
        run_id = start(url, mock, concurrency, rows=ROWS // 5 if quick else ROWS)
        mock.reset()
        took = drive([Load("openai", mock.base, 0, concurrency, url, run_id, task="training")])
        calls = mock.books()["calls"] - 1  # one warms up
        needed_s = LATENCY_S * rounds(url, run_id, took, concurrency)
        walls.append(took.wall_s)
        cpus.append(1000 * took.cpu_s / calls)
    wall_s = statistics.median(walls)
    return [calls, calls * LATENCY_S / concurrency / wall_s, needed_s / wall_s, statistics.median(cpus)]


def start(url: str, mock: Provider, concurrency: int, *, epochs: int = 1, rows: int = ROWS) -> str:
    """Queue a training on codes to repeat. Returns the run's id."""
    settings = load_settings(environ={})
    form: dict[str, object] = {
        "system_prompt": "Repeat the code.",
        "primary_model": "openai/mock",
        "optimizer_model": "openai/mock",
        "api_base": mock.base,
        "optimizer_api_base": mock.base,
        "strategy": "full_rewrite",
        "split": SPLIT,
        "batch_size": BATCH,
        "epochs": epochs,
        "concurrency": concurrency,
        "cache": "off",  # every call is to be made
    }
    with Database(url) as database, database.session() as session:
        dataset = datasets.import_file(session, _codes(rows), f"codes {rows}.csv")
        spec = training.parse(
            session, form | {"dataset": dataset.name}, settings=settings, gateway=Gateway(settings, KEYS)
        )
        return training.start(session, spec).id


def _codes(rows: int) -> io.BytesIO:
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(("input", "answer"))
    lines.writerows((f"code {number}", number) for number in range(1, rows + 1))
    return io.BytesIO(text.getvalue().encode())


def rounds(url: str, run_id: str, took: Took, concurrency: int) -> int:
    """Latencies that the stages of a run take one after the other, each with all the places it can fill."""
    with Database(url) as database, database.session() as session:
        events = session.scalars(select(Event).where(Event.run_id == run_id, Event.name == "proposal")).all()
    return len(events) + sum(math.ceil(total / concurrency) for total in took.stages)
