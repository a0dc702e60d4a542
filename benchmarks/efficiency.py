"""How close an evaluation comes to the models' own speed; the reference is aiohttp alone, in the same run.

efficiency = ideal wall time (calls x latency / concurrency) / actual wall time.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from benchmarks.report import Cell, Table
from benchmarks.setting import Load, Provider, Took, drive, postgresql, provider, queued_run, sqlite

GOALS = {64: 0.95, 256: 0.90}
LATENCY_S = 0.2


@dataclass
class Series:
    """The same load, several times."""

    title: str
    load: Callable[[], Load]
    took: list[Took] = field(default_factory=list)

    def again(self, mock: Provider) -> None:
        """Once more. Raises: RuntimeError when the mock was not asked exactly once for each call."""
        load = self.load()
        mock.reset()
        self.took.append(drive([load]))
        if (asked := mock.books()["calls"] - 1) != load.calls:  # one call warms up, after the reset
            raise RuntimeError(f"{self.title}: the mock was asked {asked} times instead of {load.calls}")

    def wall_s(self) -> float:
        """The median."""
        return statistics.median(took.wall_s for took in self.took)

    def cpu_ms(self, calls: int) -> float:
        """The median, per call."""
        return statistics.median(1000 * took.cpu_s / calls for took in self.took)


def measure(quick: bool) -> list[Table]:
    """The tables of this measurement."""
    plans = [(64, 200, 1)] if quick else [(64, 1000, 3), (256, 1000, 3), (256, 5000, 2)]
    with ExitStack() as stack:
        mock = stack.enter_context(provider(LATENCY_S))
        databases = {"SQLite": stack.enter_context(sqlite())}
        if not quick:
            databases["PostgreSQL"] = stack.enter_context(postgresql())
        tables = [_table(mock, databases, *plan) for plan in plans]
    return [*tables, _capacity(quick)]


def _table(mock: Provider, databases: dict[str, str], concurrency: int, calls: int, times: int) -> Table:
    def load(lane: str, database: str = "") -> Load:
        return Load(lane, mock.base, calls, concurrency, database, queued_run(database) if database else "")

    bare = Series("aiohttp alone (reference)", lambda: load("bare"))
    series = [bare, Series("engine, journal in memory", lambda: load("openai"))]
    for name, url in databases.items():
        series.append(Series(f"engine, journal in {name}", lambda url=url: load("openai", url)))  # type: ignore[misc]
    for _ in range(times):
        for one in series:  # in turn, so that what else the machine does meets all alike
            one.again(mock)
    return Table(
        f"Evaluation: {calls:,} calls of {1000 * LATENCY_S:g} ms, {concurrency} under way",
        ("", "efficiency", "of the reference's speed", "CPU per call, ms", "beyond the reference's, ms"),
        [_row(one, bare, calls, concurrency) for one in series],
        [_note(concurrency, calls, times)],
    )


def _row(one: Series, bare: Series, calls: int, concurrency: int) -> list[Cell]:
    ideal_s = calls * LATENCY_S / concurrency
    cpu, reference = one.cpu_ms(calls), bare.cpu_ms(calls)
    return [one.title, ideal_s / one.wall_s(), bare.wall_s() / one.wall_s(), cpu, cpu - reference]


def _note(concurrency: int, calls: int, times: int) -> str:
    rounds = -(-calls // concurrency)
    best = calls / concurrency / rounds
    medians = f"Medians of {times} runs, taken in turn." if times > 1 else "Taken once."
    return (
        f"Goal: {GOALS[concurrency]:g} with a database. {calls:,} calls are {rounds} rounds of {concurrency}, so nobody "
        f"can come above {best:.3f}. {medians}"
    )


def _capacity(quick: bool) -> Table:
    """How much the mock can give, so that it is never what is measured."""
    calls = 1000 if quick else 10_000
    with provider(0.0) as mock:
        before_s = mock.books()["cpu_s"]
        took = drive([Load("bare", mock.base, calls // 2, 64, first=n * calls) for n in range(2)])
        alone = calls / (mock.books()["cpu_s"] - before_s)
    needed = max(concurrency / LATENCY_S for concurrency in GOALS)
    return Table(
        "What the mock itself can give",
        ("calls per second of its own CPU", "times what is needed", "calls per second to two bare clients beside it"),
        [[alone, alone / needed, calls / took.wall_s]],
        [f"{max(GOALS)} calls of {1000 * LATENCY_S:g} ms under way are {needed:,.0f} calls a second."],
    )
