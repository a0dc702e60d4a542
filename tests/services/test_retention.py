"""Pruning removes what is old and ended, in portions, and nothing that is needed; what is gone is said where it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.config import Retention
from app.services import documents, retention, runs
from app.services.errors import Conflict, NotFound
from app.store import claims, removal
from app.store.database import Database
from app.store.models import CallRow, Dataset, Event, Example, PromptVersion, Run, SampleRow, SpendingRow, StepRow
from tests.services.run_world import RUN, add_examples, add_run, train

LONG_AGO = dt.datetime.now(dt.UTC) - dt.timedelta(days=40)
KEEP = {"calls": Retention(calls_days=30), "events": Retention(events_days=30), "runs": Retention(runs_days=30)}


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    """Both databases, with a finished training that ended long ago."""
    with Database(migrated_url) as database:
        add_run(database)
        add_examples(database)
        train(database)
        with database.session() as session:
            session.add(Event(run_id=RUN, name="wait", data={"model": "m", "seconds": 4, "why": "busy"}))
            session.commit()
        age(database, RUN)
        yield database


def age(database: Database, run_id: str, **values: object) -> None:
    """Let a run have ended long ago."""
    with database.engine.begin() as connection:
        connection.execute(update(Run).where(Run.id == run_id).values(ended_at=LONG_AGO, **values))


def count(session: Session, model: type) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


def test_by_default_everything_is_kept(database: Database, session: Session) -> None:
    assert not retention.prune(database, Retention()).rows
    assert count(session, CallRow) == 21


def test_calls_go_and_what_they_added_up_to_stays(database: Database, session: Session) -> None:
    before, bill = runs.totals(session, RUN), count(session, SpendingRow)
    pruned = retention.prune(database, KEEP["calls"])
    assert pruned.rows == {"calls": 21}
    assert pruned.runs_without_calls == [RUN]
    assert pruned.bytes > 21 * 10
    assert count(session, CallRow) == 0
    assert count(session, SampleRow) == 20
    assert runs.totals(session, RUN) == before
    assert count(session, SpendingRow) == bill > 0
    run = runs.get(session, RUN)
    assert documents.run(run)["calls_pruned_at"] is not None
    assert "to save room" in runs.report_html(session, run)
    assert "".join(runs.export_csv(session, run)).count("\n") == 21


def test_totals_of_a_run_that_nobody_ended_are_written_down_first(database: Database, session: Session) -> None:
    before = runs.totals(session, RUN)
    age(database, RUN, spent=None, status="cancelled")
    retention.prune(database, KEEP["calls"])
    session.expire_all()
    assert runs.get(session, RUN).spent["calls"] == before.calls
    assert runs.totals(session, RUN) == before


def test_a_failed_run_without_its_calls_cannot_go_on(database: Database, session: Session) -> None:
    age(database, RUN, status="failed")
    retention.prune(database, KEEP["calls"])
    with pytest.raises(Conflict, match="removed to save room; clone it"):
        runs.request_resume(session, RUN)


@pytest.mark.parametrize("status", ["queued", "running", "paused"])
def test_what_has_not_ended_is_left_alone(database: Database, session: Session, status: str) -> None:
    age(database, RUN, status=status)
    everything = Retention(calls_days=1, events_days=1, runs_days=1)
    assert not retention.prune(database, everything).rows
    assert count(session, CallRow) == 21


def test_what_ended_lately_is_left_alone(database: Database, session: Session) -> None:
    age(database, RUN)
    assert not retention.prune(database, Retention(calls_days=50, events_days=50, runs_days=50)).rows


def test_waits_go_and_history_and_progress_stay(database: Database, session: Session) -> None:
    history = [note.name for note in runs.notes(session, RUN)]
    assert retention.prune(database, KEEP["events"]).rows == {"events": 1}
    assert [note.name for note in runs.notes(session, RUN)] == history
    assert runs.progress(session, runs.get(session, RUN)) is not None


def test_a_whole_run_goes_and_its_versions_stay(database: Database, session: Session) -> None:
    versions = count(session, PromptVersion)
    pruned = retention.prune(database, KEEP["runs"])
    assert pruned.runs_removed == [RUN]
    assert pruned.rows["runs"] == 1
    assert pruned.rows["samples"] == 20
    assert [count(session, model) for model in (Run, CallRow, SampleRow, Event, StepRow)] == [0] * 5
    assert count(session, PromptVersion) == versions


def test_a_dry_run_says_the_same_and_changes_nothing(database: Database, session: Session) -> None:
    for keep in KEEP.values():
        told = retention.prune(database, keep, dry_run=True)
        assert told.rows == retention.prune(database, keep, dry_run=True).rows
        assert count(session, CallRow) == 21
    promised = retention.prune(database, KEEP["runs"], dry_run=True)
    done = retention.prune(database, KEEP["runs"])
    assert (promised.rows, promised.bytes, promised.runs_removed) == (done.rows, done.bytes, done.runs_removed)


def test_a_deleted_dataset_goes_when_nothing_uses_it(database: Database, session: Session) -> None:
    with database.engine.begin() as connection:
        connection.execute(update(Dataset).values(deleted_at=LONG_AGO))
    assert not retention.prune(database, Retention()).rows
    runs.delete(session, RUN)
    pruned = retention.prune(database, Retention())
    assert pruned.rows == {"examples": 10, "datasets": 1}
    assert (count(session, Dataset), count(session, Example)) == (0, 0)


class Cut(Exception):
    """The process ends here."""


def test_a_prune_that_was_cut_off_is_finished_by_the_next_one(database: Database, session: Session) -> None:
    portions = 0

    def cut(_: retention.Pruned) -> None:
        nonlocal portions
        portions += 1
        if portions == 2:
            raise Cut

    with pytest.raises(Cut):
        retention.prune(database, KEEP["calls"], tell=cut, portion=3)
    session.expire_all()
    assert count(session, CallRow) == 21 - 6
    assert runs.totals(session, RUN).calls == 18
    assert retention.prune(database, KEEP["calls"]).rows == {"calls": 21 - 6}
    portions = 0
    with pytest.raises(Cut):
        retention.prune(database, KEEP["runs"], tell=cut, portion=3)
    with pytest.raises(NotFound):
        runs.get(session, RUN)
    retention.prune(database, Retention())
    assert [count(session, model) for model in (Run, CallRow, SampleRow, Event)] == [0] * 4


def test_two_prunes_at_once_remove_everything_once(database: Database, session: Session) -> None:
    found: list[retention.Pruned] = []

    def meanwhile(_: retention.Pruned) -> None:
        if not found:
            found.append(retention.prune(database, KEEP["runs"]))

    first = retention.prune(database, KEEP["runs"], tell=meanwhile)
    total = first.rows + found[0].rows
    assert (total["calls"], total["samples"], total["runs"]) == (21, 20, 1)
    assert count(session, Run) == 0


def test_a_deleted_run_is_gone_at_once_and_its_records_follow(database: Database, session: Session) -> None:
    runs.delete(session, RUN, within_s=0)
    assert runs.list_runs(session) == []
    for question in (runs.get, runs.request_resume, runs.delete):
        with pytest.raises(NotFound):
            question(session, RUN)
    assert count(session, SampleRow) > 0
    assert claims.abandoned(database) == []
    removal.clear_up(database.engine, within_s=5)
    session.expire_all()
    assert [count(session, model) for model in (Run, CallRow, SampleRow, Event)] == [0] * 4


def test_a_queued_run_that_is_deleted_is_never_claimed(database: Database, session: Session) -> None:
    add_run(database, "waiting")
    runs.delete(session, "waiting", within_s=0)
    assert claims.claim(database, "waiting", "worker") is None


def test_room_is_given_back(database: Database) -> None:
    retention.prune(database, KEEP["runs"])
    removal.give_back(database.engine)
    assert removal.disk_bytes(database.engine) > 0
