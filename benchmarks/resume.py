"""How long a run that was cut short takes to stand where it was; the reference is a bare read of the same rows by the driver.

Measured for what a run replays: samples that were finished, and calls whose samples were not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import text

from app.store.database import Database
from benchmarks.driver import evaluate, journal_of, open_llm
from benchmarks.report import Cell, Table
from benchmarks.setting import Load, drive, middle, postgresql, queued_run, sqlite

CONCURRENCY = 64
TIMES = 3


def measure(quick: bool) -> list[Table]:
    """The tables of this measurement."""
    calls = 500 if quick else 10_000
    databases: dict[str, Callable[[], AbstractContextManager[str]]] = {"SQLite": sqlite}
    if not quick:
        databases["PostgreSQL"] = postgresql
    rows: list[list[Cell]] = []
    for name, opened in databases.items():
        with opened() as url:
            rows += _rows(name, Load("instant", "", calls, CONCURRENCY, url, queued_run(url)))
    return [
        Table(
            f"Resuming an evaluation of {calls:,} journalled calls",
            ("database", "what is on record", "replay, s", "bare read of its rows, s", "ratio"),
            rows,
            [
                "Replay = claim the run, do the evaluation again without buying anything, and close the journal. "
                f"Medians of {TIMES}."
            ],
        )
    ]


def _rows(name: str, load: Load) -> list[list[Cell]]:
    drive([load])
    found: list[list[Cell]] = []
    for what, table in (("finished samples", "samples"), ("calls without samples", "calls")):
        with Database(load.database) as database, database.engine.begin() as connection:
            if table == "calls":
                connection.execute(text("DELETE FROM samples"))
        replay_s = middle(lambda: _replay(load, unfinished=table == "calls"), TIMES)  # noqa: B023 - called at once
        read_s = middle(lambda: _read(load, table), TIMES)  # noqa: B023 - called at once
        found.append([name, what, replay_s, read_s, replay_s / read_s])
    return found


def _replay(load: Load, *, unfinished: bool) -> float:
    with Database(load.database) as database, database.engine.begin() as connection:
        if unfinished:
            connection.execute(text("DELETE FROM samples"))
    began = time.perf_counter()
    asyncio.run(_again(load))
    return time.perf_counter() - began


async def _again(load: Load) -> None:
    llm = open_llm(load)
    async with journal_of(load) as journal:
        await evaluate(load, llm, journal, resumed=True)
        totals = await journal.totals()
    if totals.calls != load.calls:
        raise RuntimeError(f"{totals.calls} calls are on record instead of {load.calls}: the replay bought some")


def _read(load: Load, table: str) -> float:
    with Database(load.database) as database, database.engine.connect() as connection:
        cursor = connection.connection.cursor()
        began = time.perf_counter()
        cursor.execute(f"SELECT * FROM {table}")
        rows = cursor.fetchall()
        took = time.perf_counter() - began
        cursor.close()
    if len(rows) != load.calls:
        raise RuntimeError(f"{len(rows)} rows in {table} instead of {load.calls}")
    return took
