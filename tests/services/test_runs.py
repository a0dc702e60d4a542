"""Runs are found, followed and steered; what a worker does is not disturbed, and what nobody does is done at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.ports.journal import LeaseLost, Totals
from app.services import prompts, runs
from app.services.errors import Conflict, Invalid, NotFound
from app.store import claims
from app.store.database import Database
from app.store.models import CallRow, Event, PromptVersion, Run, SampleRow
from tests.services.run_world import BAD, NEW, OLD, RUN, add_examples, add_run, train


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    """Both databases: pages and pairs are made by their SQL."""
    with Database(migrated_url) as database:
        yield database


@pytest.fixture
def trained(database: Database) -> None:
    """A finished training."""
    add_run(database)
    add_examples(database)
    train(database)


def many(database: Database, session: Session, count: int) -> list[str]:
    """Runs r0, r1..., two of each minute, the newest first."""
    for number in range(count):
        add_run(database, f"r{number}", name=f"Number {number}")
        run = session.get_one(Run, f"r{number}")
        run.created_at = dt.datetime(2026, 1, 1, 12, number // 2, tzinfo=dt.UTC)
        session.commit()
    return [f"r{number}" for number in reversed(range(count))]


def test_pages_hold_every_run_once(database: Database, session: Session) -> None:
    expected, found, after = many(database, session, 7), [], ""
    while page := runs.list_runs(session, after=after, limit=3):
        found += [run.id for run in page]
        after = page[-1].id
    assert found == expected


def test_a_page_after_a_run_that_is_gone_is_refused(session: Session) -> None:
    with pytest.raises(NotFound):
        runs.list_runs(session, after="nobody")


def test_lists_are_narrowed(database: Database, session: Session) -> None:
    many(database, session, 3)
    runs.request_cancel(session, "r1")

    def ids(**filters: str) -> list[str]:
        return [run.id for run in runs.list_runs(session, **filters)]

    assert ids(status="cancelled") == ["r1"]
    assert ids(kind="train") == ["r2", "r1", "r0"]
    assert ids(kind="jury") == []
    assert ids(search="NUMBER 2") == ["r2"]
    assert ids(search="r0") == ["r0"]
    assert ids(search="question") == ["r2", "r1", "r0"]
    assert ids(search="%") == []


def test_a_run_that_is_not_there_is_said(session: Session) -> None:
    for question in (runs.get, runs.totals, runs.request_pause, runs.request_cancel, runs.request_resume, runs.delete):
        with pytest.raises(NotFound, match="There is no run nobody"):
            question(session, "nobody")
    with pytest.raises(NotFound):
        runs.get(session, "nul\x00 and \ud800")


def test_renaming(database: Database, session: Session) -> None:
    add_run(database)
    assert runs.rename(session, RUN, "  Better name ").name == "Better name"
    assert claims.claim(database, RUN, "a worker is not kept waiting") is not None
    for name in ("", "   ", "x" * 201):
        with pytest.raises(Invalid) as refusal:
            runs.rename(session, RUN, name)
        assert [problem.field for problem in refusal.value.problems] == ["name"]


def test_a_queued_run_is_paused_resumed_and_cancelled_at_once(database: Database, session: Session) -> None:
    add_run(database)
    assert runs.request_pause(session, RUN).status == "paused"
    assert runs.request_pause(session, RUN).status == "paused"
    assert claims.claim(database, RUN, "worker") is None
    assert runs.request_resume(session, RUN).status == "queued"
    run = runs.request_cancel(session, RUN)
    assert (run.status, run.reason, run.wish) == ("cancelled", "cancelled by the user", "")
    assert run.ended_at is not None
    told = [event.data["status"] for event in runs.events(session, RUN)]
    assert told == ["paused", "queued", "cancelled"]


def test_the_worker_of_a_running_run_gets_a_wish(database: Database, session: Session) -> None:
    add_run(database)
    claim = claims.claim(database, RUN, "worker")
    assert claim is not None
    run = runs.request_pause(session, RUN)
    assert (run.status, run.wish) == ("running", "pause")
    assert runs.request_resume(session, RUN).wish == ""
    assert runs.request_cancel(session, RUN).wish == "cancel"
    assert runs.request_pause(session, RUN).wish == "cancel"
    assert runs.request_resume(session, RUN).wish == "cancel"
    with database.engine.begin() as connection:
        assert claims.renew(connection, claim) == "cancel"


def test_a_run_whose_worker_is_gone_is_cancelled_at_once(database: Database, session: Session) -> None:
    add_run(database)
    claim = claims.claim(database, RUN, "worker")
    assert claim is not None
    session.get_one(Run, RUN).lease_until = 1.0
    session.commit()
    assert runs.request_cancel(session, RUN).status == "cancelled"
    with database.engine.begin() as connection, pytest.raises(LeaseLost):
        claims.renew(connection, claim)


@pytest.mark.parametrize("status", ["done", "failed", "cancelled"])
def test_what_has_ended_is_not_asked_for_anything(database: Database, session: Session, status: str) -> None:
    add_run(database)
    session.get_one(Run, RUN).status = status
    session.commit()
    with pytest.raises(Conflict, match=f"is {status}; it cannot be paused any more"):
        runs.request_pause(session, RUN)
    if status != "cancelled":
        with pytest.raises(Conflict, match="cannot be cancelled"):
            runs.request_cancel(session, RUN)
    if status != "failed":
        with pytest.raises(Conflict, match="cannot be resumed"):
            runs.request_resume(session, RUN)


def test_a_failed_run_can_be_tried_again(database: Database, session: Session) -> None:
    add_run(database)
    claim = claims.claim(database, RUN, "worker")
    assert claim is not None
    claims.finish(session, claim, status="failed", reason="a fault of ours")
    session.commit()
    run = runs.request_resume(session, RUN)
    assert (run.status, run.reason, run.ended_at) == ("queued", "", None)


def test_cancelling_what_was_cut_short_keeps_its_proposals(database: Database, session: Session) -> None:
    add_run(database)
    add_examples(database)
    train(database, finish=False)
    session.get_one(Run, RUN).lease_until = 1.0
    session.commit()
    runs.request_cancel(session, RUN)
    versions = session.scalars(select(PromptVersion).order_by(PromptVersion.number)).all()
    assert [version.run_number for version in versions] == [None, 1, 2]


def test_deleting_takes_the_records_and_leaves_the_library(database: Database, session: Session, trained: None) -> None:
    prompts.adopt(session, runs.get(session, RUN), runs.notes(session, RUN))
    session.commit()
    assert session.scalar(select(func.count()).where(PromptVersion.run_id == RUN)) == 2
    runs.delete(session, RUN)
    for table in (Run, SampleRow, CallRow, Event):
        assert session.scalar(select(func.count()).select_from(table)) == 0
    versions = session.scalars(select(PromptVersion).execution_options(populate_existing=True)).all()
    assert [version.run_id for version in versions] == [None] * 3


def test_a_run_under_way_is_not_deleted(database: Database, session: Session) -> None:
    add_run(database)
    claims.claim(database, RUN, "worker")
    with pytest.raises(Conflict, match="cancel it first"):
        runs.delete(session, RUN)


def test_the_history_and_everything_told(session: Session, trained: None) -> None:
    names = [event.name for event in runs.notes(session, RUN)]
    assert names[:3] == ["plan", "baseline", "epoch"]
    assert names[-1] == "verdict"
    everything = runs.events(session, RUN)
    assert [event.name for event in everything if event.note is None] == ["status", "progress", "status"]
    assert runs.events(session, RUN, everything[3].id, 2) == everything[4:6]


def test_totals_are_the_same_during_and_after_a_run(database: Database, session: Session) -> None:
    add_run(database)
    add_examples(database)
    train(database, finish=False)
    expected = Totals(18, 200, 40, pytest.approx(0.02), 0, 1, pytest.approx(0.01), 1)  # type: ignore[arg-type]
    assert runs.totals(session, RUN) == expected
    session.get_one(Run, RUN).lease_until = 1.0
    session.commit()
    claim = claims.claim(database, RUN, "worker")
    assert claim is not None
    claims.finish(session, claim, status="paused")
    session.commit()
    assert runs.get(session, RUN).spent["calls"] == 18
    assert runs.totals(session, RUN) == expected


def test_progress_is_what_was_said_last(database: Database, session: Session, trained: None) -> None:
    progress = runs.progress(session, runs.get(session, RUN))
    assert progress is not None
    assert (progress.stage, progress.done, progress.total, progress.fraction) == ("sealed test", 5, 10, 1.0)
    add_run(database, "fresh")
    assert runs.progress(session, runs.get(session, "fresh")) is None


def test_samples_are_narrowed_and_paged(session: Session, trained: None) -> None:
    assert len(runs.samples(session, RUN)) == 20
    assert len(runs.samples(session, RUN, candidate=NEW, split="test")) == 10
    assert [s.case for s in runs.samples(session, RUN, outcome="provider_error")] == ["9", "10"]
    first = runs.samples(session, RUN, limit=15)
    assert len(runs.samples(session, RUN, after=first[-1].id)) == 5


def test_calls_are_narrowed_and_paged(session: Session, trained: None) -> None:
    assert len(runs.calls(session, RUN, limit=100)) == 21
    assert len(runs.calls(session, RUN, show="primary")) == 20
    assert [call.role for call in runs.calls(session, RUN, show="open")] == ["optimizer"]
    assert [call.error for call in runs.calls(session, RUN, show="errors")] == ["server_fault"] * 2
    assert len(runs.calls(session, RUN, after=runs.calls(session, RUN)[19].id)) == 1


def test_what_failed_for_good_is_listed_with_cause_and_retries(session: Session, trained: None) -> None:
    found = runs.unprocessed(session, runs.get(session, RUN))
    assert [(each.sample.case, each.sample.error, each.retries) for each in found] == [
        ("9", "the server is busy", 4),
        ("10", "the server is busy", 4),
    ]


def test_both_answers_stand_side_by_side(session: Session, trained: None) -> None:
    pairs = runs.before_after(session, runs.get(session, RUN), OLD, NEW, split="test")
    assert [pair.change for pair in pairs] == [
        "fixed",
        "unscored",
        "fixed",
        "fixed",
        "both_right",
        "both_right",
        "broken",
        "both_wrong",
        "fixed",
        "unscored",
    ]
    first = pairs[0]
    assert (first.case, first.input, first.reference) == ("1", '=HYPERLINK("http://x")', "answer 1")
    assert first.before is not None
    assert first.after is not None
    assert (first.before.score, first.after.score) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("change", "cases"),
    [
        ("fixed", "1 2 3 8"),
        ("broken", "6"),
        ("both_right", "4 5"),
        ("both_wrong", "7"),
        ("unscored", "10 9"),
    ],
)
def test_pairs_are_filtered_as_they_are_named(session: Session, trained: None, change: str, cases: str) -> None:
    pairs = runs.before_after(session, runs.get(session, RUN), OLD, NEW, split="test", change=change)
    assert [pair.case for pair in pairs] == cases.split()
    assert {pair.change for pair in pairs} == {change}


def test_pairs_are_paged(session: Session, trained: None) -> None:
    run = runs.get(session, RUN)
    found, after = [], 0
    while page := runs.before_after(session, run, OLD, NEW, split="test", after=after, limit=4):
        found += [pair.case for pair in page]
        after = page[-1].cursor
    assert found == sorted(str(case) for case in range(1, 11))


def test_a_version_that_was_not_asked_is_unscored(session: Session, trained: None) -> None:
    pairs = runs.before_after(session, runs.get(session, RUN), OLD, BAD, split="test")
    assert {(pair.after, pair.change) for pair in pairs} == {(None, "unscored")}
    assert runs.before_after(session, runs.get(session, RUN), OLD, NEW, split="train") == []
