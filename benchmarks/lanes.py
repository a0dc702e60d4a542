"""The three ways to a model beside each other, with one process and with two; the reference is aiohttp alone."""

from __future__ import annotations

import statistics

from benchmarks.efficiency import LATENCY_S
from benchmarks.report import Cell, Table
from benchmarks.setting import Load, Provider, Took, drive, provider, queued_run, sqlite

LANES = {
    "bare": "aiohttp alone (reference)",
    "openai": "OpenAI-compatible adapter",
    "vertex": "Vertex AI adapter",
    "litellm": "LiteLLM adapter",
}


def measure(quick: bool) -> list[Table]:
    """The tables of this measurement."""
    calls, times = (100, 1) if quick else (1000, 2)
    with provider(LATENCY_S) as mock:
        return [_table(mock, calls, concurrency, times) for concurrency in ((64,) if quick else (64, 256))]


def _table(mock: Provider, calls: int, concurrency: int, times: int) -> Table:
    rows: list[list[Cell]] = []
    ideal_s, reference_s = calls * LATENCY_S / concurrency, 0.0
    for lane, title in LANES.items():
        for processes in (1, 2) if times > 1 else (1,):
            took = [_drive(mock, lane, calls, concurrency, processes) for _ in range(times)]
            wall_s = statistics.median(one.wall_s for one in took)
            cpu_ms = statistics.median(1000 * one.cpu_s / calls for one in took)
            reference_s = reference_s or wall_s
            rows.append([title, processes, ideal_s / wall_s, reference_s / wall_s, cpu_ms])
    return Table(
        f"Lanes: {calls:,} calls of {1000 * LATENCY_S:g} ms, {concurrency} under way in all, journal in SQLite",
        ("lane", "processes", "efficiency", "of the reference's speed", "CPU per call, ms"),
        rows,
        ["Two processes share the calls and the places under way; both write to the same database."],
    )


def _drive(mock: Provider, lane: str, calls: int, concurrency: int, processes: int) -> Took:
    with sqlite() as url:
        share, places = calls // processes, concurrency // processes
        database = "" if lane == "bare" else url
        loads = [
            Load(lane, mock.base, share, places, database, queued_run(url), first=number * share)
            for number in range(processes)
        ]
        return drive(loads)
