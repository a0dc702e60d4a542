"""How memory grows with the pieces of an evaluation; the answers come at once, so that nothing but the engine is measured."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from benchmarks.report import Cell, Table
from benchmarks.setting import Load, Took, drive, queued_run, sqlite

CONCURRENCY = 64


def measure(quick: bool) -> list[Table]:
    """The tables of this measurement."""
    sizes = (300, 1000) if quick else (1000, 10_000, 100_000)
    found = {pieces: _drive(pieces) for pieces in sizes}
    rows: list[list[Cell]] = [
        [pieces, plain.before_mb, plain.rss_mb - plain.before_mb, traced.traced_mb]
        for pieces, (plain, traced) in found.items()
    ]
    fewest, most = sizes[0], sizes[-1]
    grown = _traced(found[most][1]) - _traced(found[fewest][1])
    kb = 1024 * grown / (most - fewest)
    return [
        Table(
            f"Peak memory of one evaluation, {CONCURRENCY} calls under way, journal in SQLite",
            ("pieces", "process before it, MB", "RSS on top, MB", "Python's allocations on top, MB"),
            rows,
            [
                f"From {fewest:,} to {most:,} pieces Python's allocations grow by {kb:.2f} KB a piece. Goal: growth with the "
                "calls under way, not with the pieces. The examples themselves are among what grows."
            ],
        )
    ]


def _drive(pieces: int) -> tuple[Took, Took]:
    """Plain, and with Python's allocations watched; side by side, since how long it takes does not matter here."""
    with sqlite() as first, sqlite() as second, ThreadPoolExecutor(2) as threads:
        loads = [
            Load("instant", "", pieces, CONCURRENCY, url, queued_run(url), traced=traced)
            for url, traced in ((first, False), (second, True))
        ]
        plain, traced = threads.map(lambda load: drive([load]), loads)
    return plain, traced


def _traced(took: Took) -> float:
    assert took.traced_mb is not None
    return took.traced_mb
