"""A tiny run of each measurement gives the figures that its table promises. How fast is not asked here."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from app.store.database import Database
from app.store.models import Run
from benchmarks import importing, readers, streams, training
from benchmarks.comparison import Missing, Peer, _environment
from benchmarks.report import markdown
from benchmarks.setting import Load, drive, provider, queued_run, sqlite

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("lane", ["bare", "openai", "instant"])
def test_a_load_makes_its_calls_and_no_others(lane: str) -> None:
    with provider(0.0) as mock, sqlite() as url:
        took = drive([Load(lane, mock.base, 20, 4, "" if lane == "bare" else url, queued_run(url), traced=True)])
        asked = mock.books()["calls"]
    assert asked == (0 if lane == "instant" else 21)  # one warms up
    assert took.wall_s > 0
    assert took.cpu_s > 0
    assert took.traced_mb
    assert took.rss_mb >= took.before_mb > 0


def test_two_processes_share_a_load() -> None:
    with provider(0.0) as mock, sqlite() as url:
        drive([Load("openai", mock.base, 10, 2, url, queued_run(url), first=10 * n) for n in range(2)])
        assert mock.books()["calls"] == 22


def test_a_load_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match="could not be claimed"), sqlite() as url:
        drive([Load("instant", "", 1, 1, url, "nobody")])


def test_a_training_runs_to_its_end_in_the_rounds_of_its_stages() -> None:
    with provider(0.0) as mock, sqlite() as url:
        run_id = training.start(url, mock, 64, rows=128)
        took = drive([Load("openai", mock.base, 0, 64, url, run_id, task="training")])
        with Database(url) as database, database.session() as session:
            outcome = session.get_one(Run, run_id).outcome
        # baseline, minibatch of 90, proposal, gate in two halves of 45, four blocks of validation, sealed test of both
        assert training.rounds(url, run_id, took, 64) == 1 + 2 + 1 + 2 + 4 + 1
    assert outcome["proposals"] == 1
    assert outcome["accepted"] == 1


@pytest.mark.parametrize("name", ["memory", "resume", "importing"])
def test_a_quick_measurement_fills_its_table(name: str) -> None:
    for table in importlib.import_module(f"benchmarks.{name}").measure(True):
        assert table.rows
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert not any(value is None for row in table.rows for value in row)
        assert markdown(table.as_json()).startswith(f"**{table.title}**")


def test_the_file_to_import_has_the_rows_that_it_says(tmp_path: Path) -> None:
    assert importing.write(tmp_path / "rows.csv", 50) == (tmp_path / "rows.csv").stat().st_size
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 51


async def test_readers_follow_the_events_of_a_served_run() -> None:
    with provider(0.05) as mock, streams.site({}) as server:
        run_id = streams.start(server, mock)
        streams._wait_for_runs(server, 1)
        with streams.telling(server, [run_id]):
            seen = await readers.watch(server.port, 10, 6.0, [run_id])
        delays = streams._delays(server, {str(number): times for number, times in seen.arrivals.items()})
    assert seen.most == 8  # the limit for one address
    assert seen.refused >= 2
    assert seen.broken == 0
    assert delays


def test_percentiles_are_values_that_were_seen() -> None:
    assert streams.percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert streams.percentile([float(n) for n in range(1, 101)], 0.95) == 95.0
    assert streams.percentile([], 0.5) is None


def test_a_peer_that_is_not_installed_is_left_out_when_quick() -> None:
    with pytest.raises(Missing, match="not installed"):
        _environment(Peer("Nobody", "nobody-has-this", ("nobody==1",), "dspy_evaluate.py"), install=False)
