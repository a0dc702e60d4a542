"""One worker at a time holds a run, by the database's clock, and an old claim changes nothing."""

from __future__ import annotations

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from app.ports.journal import LeaseLost
from app.store import claims
from app.store.claims import Claim
from app.store.database import Database
from app.store.models import Event, Run
from tests.store.processes import claim_together, context, run_together
from tests.store.worlds import add_run, expire


def stored(database: Database, run_id: str = "run1") -> Run:
    with database.session() as session:
        return session.get_one(Run, run_id)


def claimed(database: Database, run_id: str = "run1") -> Claim:
    claim = claims.claim(database, run_id, "worker")
    assert claim is not None
    return claim


def test_a_queued_run_is_taken_once(database: Database) -> None:
    add_run(database)
    assert claims.claim(database, "run1", "first") == Claim("run1", 1, 20.0)
    assert claims.claim(database, "run1", "second") is None
    run = stored(database)
    assert (run.status, run.lease_owner, run.fence) == ("running", "first", 1)
    assert run.started_at is not None


def test_a_run_that_is_not_there_cannot_be_taken(database: Database) -> None:
    assert claims.claim(database, "nobody", "worker") is None


@pytest.mark.parametrize("status", ["done", "failed", "cancelled", "paused"])
def test_a_run_that_needs_no_worker_is_left_alone(database: Database, status: str) -> None:
    add_run(database)
    with database.session() as session:
        session.execute(update(Run).values(status=status))
        session.commit()
    assert claims.claim(database, "run1", "worker") is None
    assert claims.abandoned(database) == []


def test_an_expired_lease_passes_to_the_next(database: Database) -> None:
    add_run(database)
    first = claimed(database)
    started = stored(database).started_at
    assert claims.abandoned(database) == []
    expire(database, "run1")
    assert claims.abandoned(database) == ["run1"]
    assert claimed(database).fence == first.fence + 1
    assert stored(database).started_at == started


def test_a_lease_runs_out_by_itself(database: Database) -> None:
    add_run(database)
    assert claims.claim(database, "run1", "first", ttl_s=0.05) is not None
    time.sleep(0.1)
    assert claims.abandoned(database) == ["run1"]


@pytest.mark.parametrize("ttl_s", [0, -1, 31])
def test_leases_are_short(database: Database, ttl_s: float) -> None:
    with pytest.raises(ValueError, match="a lease lasts up to 30 s"):
        claims.claim(database, "run1", "worker", ttl_s)


def test_renewing_keeps_the_run_and_brings_the_wish(database: Database) -> None:
    add_run(database)
    claim = claimed(database)
    with database.session() as session:
        session.execute(update(Run).values(lease_until=1.0, wish="pause"))
        session.commit()
    with database.engine.begin() as connection:
        assert claims.renew(connection, claim) == "pause"
    assert claims.abandoned(database) == []


def test_finishing_gives_the_run_back(database: Database) -> None:
    add_run(database)
    claim = claimed(database)
    with database.session() as session:
        claims.finish(session, claim, status="done", reason="all epochs", outcome={"verdict": "ship"})
        session.commit()
    run = stored(database)
    assert (run.status, run.reason, run.outcome, run.wish) == ("done", "all epochs", {"verdict": "ship"}, "")
    assert (run.lease_owner, run.lease_until) == ("", 0.0)
    assert run.ended_at is not None


def test_a_paused_run_has_not_ended_and_keeps_its_outcome(database: Database) -> None:
    add_run(database)
    with database.session() as session:
        session.execute(update(Run).values(outcome={"so far": 1}))
        session.commit()
    with database.session() as session:
        claims.finish(session, claimed(database), status="paused", reason="as you wished")
        session.commit()
    run = stored(database)
    assert (run.status, run.ended_at, run.outcome) == ("paused", None, {"so far": 1})


def test_a_finish_that_is_not_committed_did_not_happen(database: Database) -> None:
    add_run(database)
    claim = claimed(database)
    with database.session() as session:
        claims.finish(session, claim, status="done")
    assert stored(database).status == "running"


def test_releasing_queues_the_run_and_keeps_the_wish(database: Database) -> None:
    add_run(database)
    claim = claimed(database)
    with database.session() as session:
        session.execute(update(Run).values(wish="cancel"))
        session.commit()
    claims.release(database, claim)
    run = stored(database)
    assert (run.status, run.wish) == ("queued", "cancel")
    assert claims.abandoned(database) == ["run1"]


def test_an_old_claim_changes_nothing(database: Database) -> None:
    add_run(database)
    old = claimed(database)
    expire(database, "run1")
    new = claimed(database)
    with database.session() as session, pytest.raises(LeaseLost):
        claims.finish(session, old, status="failed")
    with pytest.raises(LeaseLost):
        claims.release(database, old)
    with database.engine.begin() as connection:
        with pytest.raises(LeaseLost):
            claims.guard(connection, old)
        with pytest.raises(LeaseLost):
            claims.renew(connection, old)
        claims.guard(connection, new)
    assert stored(database).status == "running"


def test_a_run_is_finished_once(database: Database) -> None:
    add_run(database)
    claim = claimed(database)
    with database.session() as session:
        claims.finish(session, claim, status="done")
        session.commit()
        with pytest.raises(LeaseLost):
            claims.finish(session, claim, status="failed")
    assert stored(database).status == "done"


def test_those_who_watch_see_every_status(database: Database) -> None:
    add_run(database)
    claims.release(database, claimed(database))
    with database.session() as session:
        claims.finish(session, claimed(database), status="failed", reason="no model")
        session.commit()
        told = session.scalars(select(Event).where(Event.name == "status").order_by(Event.id)).all()
        assert [(event.note, event.data["status"], event.data["reason"]) for event in told] == [
            (None, "running", ""),
            (None, "queued", ""),
            (None, "running", ""),
            (None, "failed", "no model"),
        ]


def test_the_oldest_abandoned_runs_come_first(database: Database) -> None:
    for day, run_id in enumerate(("b", "a", "c"), start=1):
        add_run(database, run_id)
        with database.session() as session:
            session.get_one(Run, run_id).created_at = dt.datetime(2026, 1, day, tzinfo=dt.UTC)
            session.commit()
    assert claims.abandoned(database) == ["b", "a", "c"]
    assert claims.abandoned(database, limit=2) == ["b", "a"]


def test_eight_threads_race_for_each_of_twenty_runs(database: Database) -> None:
    runs = [add_run(database, f"run{number}") for number in range(20)]
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda run_id: claims.claim(database, run_id, "worker"), runs * 8))
    assert sorted(claim.run_id for claim in won if claim) == sorted(runs)
    assert {claim.fence for claim in won if claim} == {1}


def test_eight_processes_race_for_each_of_twenty_runs(migrated_url: str) -> None:
    with Database(migrated_url) as database:
        runs = [add_run(database, f"run{number}") for number in range(20)]
    start, won = context().Barrier(8), context().SimpleQueue()
    run_together([context().Process(target=claim_together, args=(migrated_url, runs, start, won)) for _ in range(8)])
    taken = []
    while not won.empty():
        taken.append(won.get())
    assert sorted(taken) == sorted(runs)
