"""Fills a database with one finished training of a million samples and calls, and a library and a list of runs around it.

What is written has the shape that the engine writes: eight versions that answered every validation example, two that answered
every test example, one call for each sample, an optimizer call for each proposal, notes that name the examples that changed,
and the progress that was told four times a second.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, text

from app.core.stats import RIGHT
from app.ports.journal import Totals
from app.store.database import Database

RUN = "a0million"
VERSIONS = 8
PARTS = {0: "validation", 1: "test"}
SMALL_RUNS, PROMPTS, DATASETS, PROMPT_VERSIONS = 3000, 1000, 300, 1000
BEGIN = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
PORTION = 20_000
ANSWER = "The customer asks where the parcel is, so the topic is delivery. "
Rows = Iterable[Sequence[Any]]


@dataclass(frozen=True)
class Size:
    """How much: samples of the large run (a multiple of 20), and events of progress that it told."""

    samples: int
    progress: int

    @property
    def examples(self) -> int:
        """Rows of the dataset: a tenth of them is validation, a tenth test."""
        return self.samples


def candidate(version: int) -> str:
    """Digest of a version of the prompts."""
    return hashlib.sha256(f"version {version}".encode()).hexdigest()[:32]


def fill(database: Database, size: Size) -> None:
    """Write everything into an empty, migrated database."""
    with database.engine.begin() as connection:
        load(connection, "datasets", _datasets(size))
        load(connection, "prompts", _prompts())
        load(connection, "runs", _runs(size))
        load(connection, "prompt_versions", _prompt_versions())
    for table, rows in (
        ("examples", _examples(size)),
        ("samples", _samples(size)),
        ("calls", _calls(size)),
        ("events", _events(size)),
        ("steps", _steps()),
    ):
        with database.engine.begin() as connection:
            load(connection, table, rows)
    if not database.is_sqlite:  # PostgreSQL does it by itself after a while; SQLite never does
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def load(connection: Connection, table: str, rows: Iterator[dict[str, Any]]) -> None:
    """Insert rows of equal keys, by the fastest way that the database has."""
    first = next(rows)
    names = ", ".join(f'"{name}"' for name in first)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" for _ in first)
        connection.exec_driver_sql("BEGIN IMMEDIATE") if not _in_transaction(connection) else None
        for portion in _portions(first, rows):
            connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({marks})", portion)
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for portion in _portions(first, rows):
            for values in portion:
                copy.write_row(values)


def _in_transaction(connection: Connection) -> bool:
    driver: Any = connection.connection.driver_connection
    return bool(driver.in_transaction)


def _portions(first: dict[str, Any], rows: Iterator[dict[str, Any]]) -> Iterator[list[tuple[Any, ...]]]:
    portion = [tuple(first.values())]
    for row in rows:
        portion.append(tuple(row.values()))
        if len(portion) == PORTION:
            yield portion
            portion = []
    if portion:
        yield portion


def _moment(seconds: float) -> str:
    return f"{BEGIN + dt.timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S.%f}"


def _datasets(size: Size) -> Iterator[dict[str, Any]]:
    chars = {"min": 3, "median": 60, "mean": 61.0, "p95": 90, "max": 120}
    for number in range(1, DATASETS + 1):
        rows = size.examples if number == 1 else 100
        labels = [{"label": f"topic {n}", "count": rows // 8} for n in range(8)]
        statistics: dict[str, Any] = {
            "rows": rows,
            "labels_distinct": 8,
            "few_labels": True,
            "labels": labels,
            "duplicates": 0,
        }
        statistics |= {"input_chars": chars, "answer_chars": chars, "conflicts": [], "conflicts_total": 0}
        statistics |= {"answers_numeric": 0, "answers_json": 0}
        report: dict[str, Any] = {
            "columns": ["text", "label"],
            "input_column": "text",
            "answer_column": "label",
            "encoding": "UTF-8",
        }
        report |= {"format": "csv", "delimiter": ",", "rows": rows, "kept": rows, "dropped": [], "dropped_total": 0}
        report |= {"notes": [], "replaced": 0}
        yield {
            "name": f"messages {number}",
            "digest": f"{number:064}",
            "source": "messages.csv",
            "rows": rows,
            "report": json.dumps(report),
            "statistics": json.dumps(statistics),
        }


def _examples(size: Size) -> Iterator[dict[str, Any]]:
    for row in range(1, size.examples + 1):
        given = f"Where is my parcel number {row}? It was promised for last week."
        yield {"dataset_id": 1, "row": row, "input": given, "reference": f"topic {row % 8}", "extra": "{}"}


def _prompts() -> Iterator[dict[str, Any]]:
    for number in range(1, PROMPTS + 1):
        yield {
            "name": f"prompt {number:05}",
            "kind": "pair",
            "description": "Sorts messages.",
            "category": "support",
            "tags": '["support"]',
        }


def _prompt_versions() -> Iterator[dict[str, Any]]:
    numbers = [(1, n) for n in range(1, PROMPT_VERSIONS + 1)] + [(p, 1) for p in range(2, PROMPTS + 1)]
    for prompt, number in numbers:
        by_run = prompt == 1 and number > 1
        yield {
            "prompt_id": prompt,
            "number": number,
            "system_prompt": f"Sort the message, way {number}. " * 40,
            "output_prompt": "Answer with the topic.",
            "messages": "[]",
            "digest": f"{number:064}",
            "author": "run" if by_run else "person",
            "run_id": RUN if by_run else None,
            "run_number": number if by_run else None,
            "fate": ("accepted" if number % 10 == 0 else "rejected") if by_run else "",
            "reasoning": "It was vague.",
            "scores": "{}",
        }


def _runs(size: Size) -> Iterator[dict[str, Any]]:
    cases = size.samples // 10
    yield _run(RUN, "a million answers", size.samples, cases, 0)
    for number in range(SMALL_RUNS):
        yield _run(f"s{number:05}", f"small run {number}", 200, 20, number + 1)


def _run(run_id: str, name: str, calls: int, cases: int, hour: int) -> dict[str, Any]:
    model = {"name": "simulated/primary", "params": {"temperature": 0.0}, "api_base": None}
    spec = {
        "dataset": {"id": 1, "name": "messages 1", "digest": f"{1:064}"},
        "split": {"ratios": [80, 10, 10], "seed": 1, "train": 8 * cases, "validation": cases, "test": cases},
        "prompt": "prompt 00001",
        "system_prompt": "Sort the message, way 1. " * 40,
        "output_prompt": "Answer with the topic.",
        "primary": model,
        "optimizer": model | {"name": "simulated/optimizer"},
        "scorers": [{"name": "exact_match"}],
        "strategy": "auto",
        "epochs": VERSIONS - 1,
        "seed": 1,
        "budget": {"usd": 100.0, "calls": None, "tokens": None, "minutes": None},
    }
    figures = {"mean": 0.7, "n": cases, "asked": cases, "low": 0.69, "high": 0.71}
    outcome = {
        "verdict": "ship",
        "sentence": "Ship the new prompts: they are better.",
        "initial": _texts(0),
        "final": _texts(VERSIONS - 1),
        "test": {"initial": figures, "final": figures, "paired": _paired(0, VERSIONS - 1, cases, listed=False)},
        "gap": 0.01,
        "stopped_by": "max_epochs",
        "stopped_why": "all epochs are done",
    }
    status = ("done", "cancelled", "failed", "paused")[hour % 4]
    return {
        "id": run_id,
        "kind": "train",
        "name": name,
        "status": status,
        "reason": "",
        "wish": "",
        "spec": json.dumps(spec),
        "simulated": True,
        "dataset_id": 1,
        "prompt_id": 1,
        "outcome": json.dumps(outcome),
        "spent": json.dumps(asdict(Totals(calls, 40 * calls, 16 * calls, 0.0001 * calls))),
        "fence": 1,
        "lease_owner": "",
        "lease_until": 0.0,
        "created_at": _moment(3600 * hour),
        "started_at": _moment(3600 * hour),
        "ended_at": None if status == "paused" else _moment(3600 * hour + 1800),
    }


def _work(size: Size) -> Iterator[tuple[int, int, str]]:
    """(version, row of the dataset, split) in the order in which the run asked."""
    for version in range(VERSIONS):
        for row in range(10, size.examples + 1, 10):
            yield version, row, "validation"
    for version in (0, VERSIONS - 1):
        for row in range(1, size.examples + 1, 10):
            yield version, row, "test"


def score(version: int, row: int) -> float | None:
    """What a version scores on a row; None for a call that failed."""
    dice = (row * 2654435761 + version * 40503) % 10_007
    if dice % 500 == 0:
        return None
    return 1.0 if dice % 100 < 60 + 2 * version else 0.0


def _key(version: int, row: int) -> str:
    return f"{version:04x}{row:028x}"


def _samples(size: Size) -> Iterator[dict[str, Any]]:
    for version, row, split in _work(size):
        found = score(version, row)
        failed = found is None
        yield {
            "run_id": RUN,
            "key": _key(version, row),
            "candidate": candidate(version),
            "case": str(row),
            "repeat": 0,
            "split": split,
            "outcome": "provider_error" if failed else "scored",
            "score": found,
            "feedback": "" if failed else "Right." if found else "Expected another topic.",
            "response": "" if failed else f"{ANSWER}topic {row % 8 if found else 9}",
            "scores": None if failed else json.dumps({"exact_match": found}),
            "error": "the server is busy" if failed else "",
            "calls": 1,
            "tokens": 56,
            "cost_usd": 0.0001,
            "seconds": 0.4,
        }


def _calls(size: Size) -> Iterator[dict[str, Any]]:
    each = size.samples // (VERSIONS - 1)
    for number, (version, row, _) in enumerate(_work(size), 1):
        yield _call(f"{_key(version, row)}/0:{number:016x}", "primary", number, score(version, row) is None)
        if number % each == 0:
            yield _call(f"propose/{number // each}/0:{number:016x}", "optimizer", number, failed=False)


def _call(key: str, role: str, number: int, failed: bool) -> dict[str, Any]:
    asked = [
        {"role": "system", "content": "Sort the message into one of eight topics. " * 4},
        {"role": "user", "content": f"Where is my parcel number {number}? It was promised for last week."},
    ]
    return {
        "run_id": RUN,
        "key": key,
        "attempts": 5 if failed else 1,
        "role": role,
        "model": f"simulated/{role}",
        "request": json.dumps({"model": f"simulated/{role}", "params": {"temperature": 0.0}, "messages": asked}),
        "reserved_usd": 0.001,
        "settled": True,
        "text": "the server is busy" if failed else ANSWER,
        "error": "server_fault" if failed else "",
        "finish_reason": "unknown" if failed else "stop",
        "prompt_tokens": 40,
        "completion_tokens": 16,
        "reasoning_tokens": 0,
        "cached_tokens": 0,
        "tokens_estimated": False,
        "cost_usd": 0.0001,
        "ttft_s": 0.1,
        "ttlb_s": 0.4,
        "served_model": "simulated",
        "raw": json.dumps({"id": f"reply-{number}", "object": "chat.completion", "choices": [{"index": 0}]}),
        "retries": 4 if failed else 0,
        "wait_s": 0.0,
        "uncertain": 0,
        "sent_at": _moment(number / 30),
    }


def _steps() -> Iterator[dict[str, Any]]:
    for version in range(1, VERSIONS):
        yield {"run_id": RUN, "key": f"propose/{version}", "value": json.dumps(_texts(version))}


def _events(size: Size) -> Iterator[dict[str, Any]]:
    notes = list(_notes(size))
    every = max(1, size.progress // len(notes))
    told = 0
    for at in range(size.progress):
        fraction = at / size.progress
        data = {"stage": "validation", "done": at, "total": size.progress, "fraction": round(fraction, 4), "eta_s": 9.0}
        data |= {"calls": at, "tokens": 56 * at, "cost_usd": 0.0001 * at}
        yield _event(None, "progress", data, at)
        if at % 500 == 0:
            wait = {"model": "simulated/primary", "seconds": 4.0, "why": "the server is busy"}
            yield _event(None, "wait", wait, at)
        if at % every == 0 and told < len(notes):
            told += 1
            yield _event(told, *notes[told - 1], at)
    yield _event(None, "status", {"status": "done", "reason": ""}, size.progress)


def _event(note: int | None, name: str, data: Any, at: int) -> dict[str, Any]:
    return {"run_id": RUN, "note": note, "name": name, "data": json.dumps(data), "at": _moment(at / 4)}


def _notes(size: Size) -> Iterator[tuple[str, dict[str, Any]]]:
    cases = size.samples // 10
    figures = {"mean": 0.7, "n": cases, "asked": cases, "low": 0.69, "high": 0.71}
    parts = {"train_n": 8 * cases, "validation_n": cases, "test_n": cases}
    yield "plan", parts | {"epochs": VERSIONS - 1, "batch_size": 16, "strategy": "auto", "acceptance": "improvement"}
    yield "baseline", _texts(0) | {"validation": figures}
    for version in range(1, VERSIONS):
        yield "epoch", {"epoch": version, "parent": version - 1, "batch": figures, "failures": 3}
        about = {"epoch": version, "parent": version - 1, "strategy": "full_rewrite", "reasoning": "It was vague."}
        found = {"batch": figures, "gate": None, "validation": figures, "fate": "accepted", "why": "better"}
        yield "proposal", _texts(version) | about | found | {"paired": _paired(version - 1, version, cases)}
        best = {"best": figures, "best_number": version, "stale": 0}
        yield "epoch_end", {"epoch": version, "train": figures, "validation": figures} | best
    yield "test", {"initial": figures, "final": figures, "paired": _paired(0, VERSIONS - 1, cases)}
    yield "verdict", {"verdict": "ship", "sentence": "Ship the new prompts: they are better."}


def _texts(version: int) -> dict[str, Any]:
    system, output = f"Sort the message, way {version}. " * 40, "Answer with the topic."
    return {"number": version, "digest": candidate(version), "system_prompt": system, "output_prompt": output}


def _paired(before: int, after: int, cases: int, *, listed: bool = True) -> dict[str, Any]:
    """A comparison with the ids of the examples that changed, as a large run has them."""
    rows = range(10, 10 * cases + 1, 10) if listed else range(0)
    pairs = [(row, score(before, row), score(after, row)) for row in rows]
    told = [(row, a >= RIGHT, b >= RIGHT) for row, a, b in pairs if a is not None and b is not None]
    return {
        "n": cases,
        "asked": cases,
        "delta": 0.02,
        "low": 0.01,
        "high": 0.03,
        "p_value": 0.001,
        "test": "mcnemar_exact",
        "fixed": [str(row) for row, a, b in told if b and not a],
        "broken": [str(row) for row, a, b in told if a and not b],
        "both_right": cases // 2,
        "both_wrong": cases // 4,
        "coverage": 1.0,
    }
