"""What a run and all runs have cost, as the record of their calls tells it, on both databases."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.ports.journal import CallIntent, CallResult, Totals
from app.ports.llm import Usage
from app.services import documents, runs
from app.services.errors import Invalid
from app.services.spending import Spending, spending
from app.store import claims
from app.store.database import Database
from app.store.journal import SqlJournal
from app.store.models import CallRow, Run
from tests.services.run_world import RUN, add_run

TODAY = dt.date(2026, 3, 10)
NOON = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
REAL, SIMULATED = "openai/gpt-5-mini", "simulated/optimizer"


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    """Both databases: bills are added up by their SQL."""
    with Database(migrated_url) as database:
        yield database


def buy(database: Database, run_id: str = RUN, *, finish: bool = True) -> None:
    """A worker's purchases: three answers (one throttled, one refused once, one reused), one unpriced, one cut off."""
    claim = claims.claim(database, run_id, "worker")
    assert claim is not None
    journal = SqlJournal(database, claim)
    asyncio.run(_purchases(journal))
    journal.stop()
    moments = {
        "a": NOON - dt.timedelta(days=1),
        "b": NOON,
        "c": NOON,
        "d": NOON,
        "e": NOON + dt.timedelta(minutes=2),
        "f": NOON,
    }
    with database.session() as session:
        for key, moment in moments.items():
            session.execute(update(CallRow).where(CallRow.run_id == run_id, CallRow.key == key).values(sent_at=moment))
        if finish:
            claims.finish(session, claim, status="paused", reason="enough")
        session.commit()


async def _purchases(journal: SqlJournal) -> None:
    lane = f"{REAL}@here"

    def intent(key: str, model: str = REAL, role: str = "primary", attempt: int = 1) -> CallIntent:
        return CallIntent(key, attempt, role, model, {"messages": []}, 0.01, 0, f"cache-{key}", lane)

    usage = Usage(100, 10)
    await journal.intend(intent("a"))
    journal.settle("a", CallResult("yes", usage=usage, cost_usd=0.002, throttled_s=1.5))
    await journal.intend(intent("b", attempt=3))
    journal.settle("b", CallResult("no", usage=usage, cost_usd=0.004, limited=2, throttled_s=0.5))
    journal.reuse(intent("c", attempt=0), CallResult("yes", usage=usage, cost_usd=0.002, cached=True))
    await journal.intend(intent("d", SIMULATED, "optimizer"))
    journal.settle("d", CallResult("try", usage=usage, cost_usd=None))
    await journal.intend(intent("e"))
    await journal.intend(intent("f", attempt=1))
    journal.settle("f", CallResult("not sent: paused", error="unsent"))
    await journal.flush()


def with_lane(session: Session, rpm: float | None) -> None:
    run = session.get_one(Run, RUN)
    run.spec = {**run.spec, "calls": {"lanes": {REAL: {"name": f"{REAL}@here", "rpm": rpm}}}}
    session.commit()


@pytest.mark.parametrize("finish", [False, True])
def test_a_bill_adds_up_by_model_and_day(database: Database, session: Session, finish: bool) -> None:
    add_run(database)
    buy(database, finish=finish)
    bill = runs.bill(session, runs.get(session, RUN))
    assert bill.totals == Totals(3, 300, 30, pytest.approx(0.006), 1, 1, 0.01, 1, 1, 0.002)
    assert bill.totals == runs.totals(session, RUN)
    assert [(line.role, line.model, line.totals.calls) for line in bill.lines] == [
        ("primary", REAL, 2),
        ("optimizer", SIMULATED, 1),
    ]
    assert [(day, totals.calls, totals.uncertain_calls) for day, totals in bill.days] == [
        ("2026-03-09", 1, 0),
        ("2026-03-10", 2, 1),
    ]


def test_rates_say_what_was_asked_and_what_was_reached(database: Database, session: Session) -> None:
    add_run(database)
    with_lane(session, 30.0)
    buy(database)
    real, other = runs.bill(session, runs.get(session, RUN)).rates
    minutes = 24 * 60 + 2
    assert (real.lane, real.target_rpm, real.sendings) == (f"{REAL}@here", 30.0, 5)
    assert real.actual_rpm == pytest.approx(5 / minutes, abs=1e-3)
    assert (real.throttled, real.throttled_s, real.mean_wait_s, real.limited) == (2, 2.0, 1.0, 2)
    assert (other.model, other.target_rpm, other.actual_rpm, other.mean_wait_s) == (SIMULATED, None, None, None)


def test_the_bill_outlives_the_calls(database: Database, session: Session) -> None:
    add_run(database)
    buy(database)
    before = runs.bill(session, runs.get(session, RUN))
    session.query(CallRow).delete()
    session.commit()
    after = runs.bill(session, runs.get(session, RUN))
    assert (after.totals, after.lines, after.days) == (before.totals, before.lines, before.days)
    assert after.rates == []


def test_spending_keeps_simulated_money_apart(database: Database, session: Session) -> None:
    add_run(database)
    buy(database)
    found = spending(session, 2, TODAY)
    assert (found.first, found.last) == (dt.date(2026, 3, 9), TODAY)
    assert found.real.totals.cost_usd == pytest.approx(0.006)
    assert found.real.totals.uncertain_usd == pytest.approx(0.01)
    assert found.real.totals.unpriced_calls == 0
    assert (found.simulated.totals.calls, found.simulated.totals.unpriced_calls) == (1, 1)
    assert [totals.calls for _, totals in found.real.days] == [1, 1]
    assert [model for model, _ in found.real.models] == [REAL]
    assert [(one.run_id, one.name) for one in found.real.runs] == [(RUN, "First training")]
    assert spending(session, 1, TODAY).real.totals.cost_usd == pytest.approx(0.004)
    assert not spending(session, 5, TODAY - dt.timedelta(days=-30)).real.used


def test_spending_keeps_what_was_deleted_and_counts_what_is_under_way(database: Database, session: Session) -> None:
    add_run(database)
    buy(database)
    add_run(database, "second")
    buy(database, "second", finish=False)
    both = spending(session, 2, TODAY)
    assert both.real.totals.calls == 4
    session.rollback()
    runs.delete(session, RUN)
    after = spending(session, 2, TODAY)
    assert after.real.totals == both.real.totals
    assert {(one.run_id, one.name) for one in after.real.runs} == {(RUN, None), ("second", "First training")}


def test_spending_has_a_run_whose_worker_never_came_back(database: Database, session: Session) -> None:
    add_run(database)
    buy(database, finish=False)
    session.get_one(Run, RUN).lease_until = 1.0
    session.commit()
    runs.request_cancel(session, RUN)
    assert spending(session, 2, TODAY).real.totals.calls == 2
    assert runs.get(session, RUN).spent["calls"] == 3


@pytest.mark.parametrize("within_s", [0.0, 60.0])
def test_spending_has_a_run_that_was_deleted_before_its_worker_came_back(
    database: Database, session: Session, within_s: float
) -> None:
    add_run(database)
    buy(database, finish=False)
    session.get_one(Run, RUN).lease_until = 1.0
    session.commit()
    runs.delete(session, RUN, within_s=within_s)
    found = spending(session, 2, TODAY).real
    assert found.totals.calls == 2
    assert [one.name for one in found.runs] == [None]


def test_the_dearest_come_first(database: Database, session: Session) -> None:
    for number in range(12):
        add_run(database, f"r{number:02}")
        buy(database, f"r{number:02}")
    session.execute(update(CallRow).where(CallRow.run_id == "r07", CallRow.key == "a").values(cost_usd=1.0))
    session.get_one(Run, "r07").status = "running"
    session.commit()
    found: Spending = spending(session, 2, TODAY)
    assert len(found.real.runs) == 10
    assert found.real.runs[0].run_id == "r07"


@pytest.mark.parametrize(
    ("totals", "words"),
    [
        (Totals(), "$0.0000"),
        (Totals(calls=2, cost_usd=0.5), "$0.5000"),
        (Totals(calls=1, cost_usd=0.0000021), "$0.000002"),
        (
            Totals(cost_usd=0.012, uncertain_usd=0.0004, uncertain_calls=2),
            "between $0.0120 and $0.0124 with 2 sendings of unknown fate",
        ),
        (
            Totals(cost_usd=3.0, uncertain_usd=0.00001, uncertain_calls=1),
            "between $3.00000 and $3.00001 with 1 sending of unknown fate",
        ),
        (Totals(cost_usd=0.2, unpriced_calls=1), "at least $0.2000, and 1 call of unknown price"),
        (
            Totals(cost_usd=0.2, unpriced_calls=3, uncertain_calls=1),
            "at least $0.2000 with 1 sending of unknown fate, and 3 calls of unknown price",
        ),
    ],
)
def test_the_cost_in_words(totals: Totals, words: str) -> None:
    assert runs.cost_in_words(totals) == words


def test_unknown_prices_make_the_interval_unknown() -> None:
    known = documents.spent(Totals(calls=1, cost_usd=1.0, uncertain_usd=0.5, uncertain_calls=1, saved_usd=0.25))
    assert (known["cost_usd"], known["cost_high_usd"], known["saved_usd"]) == (1.0, 1.5, 0.25)
    unknown = documents.spent(Totals(calls=2, cost_usd=1.0, unpriced_calls=1))
    assert unknown["cost_usd"] is unknown["cost_high_usd"] is None


def test_cut_off_calls_are_decided_by_a_person(database: Database, session: Session) -> None:
    add_run(database)
    run = session.get_one(Run, RUN)
    run.spec = {**run.spec, "calls": {"on_uncertain": "ask"}}
    session.commit()
    buy(database)
    assert runs.undecided(session, runs.get(session, RUN)) == 1
    with pytest.raises(Invalid, match="1 call was cut off"):
        runs.request_resume(session, RUN)
    with pytest.raises(Invalid, match="must be repeat or skip"):
        runs.request_resume(session, RUN, "perhaps")
    assert runs.request_resume(session, RUN, "skip").status == "queued"
    assert runs.undecided(session, runs.get(session, RUN)) == 0


def test_an_outage_ends_by_itself_unless_a_person_says_wait(database: Database, session: Session) -> None:
    add_run(database)
    claim = claims.claim(database, RUN, "worker")
    assert claim is not None
    claims.finish(session, claim, status="paused", reason="down", again=claims.Again(90.0, 1))
    session.commit()
    run = runs.get(session, RUN)
    left = runs.resumes_in(session, run)
    assert left is not None
    assert 60 < left <= 90
    assert documents.run(run)["resume_at"].endswith("Z")
    run = runs.request_pause(session, RUN)
    assert runs.resumes_in(session, run) is None
    assert documents.run(run)["resume_at"] is None


def test_calls_from_the_cache_are_listed_alone(database: Database, session: Session) -> None:
    add_run(database)
    buy(database)
    assert [call.key for call in runs.calls(session, RUN, show="cached")] == ["c"]
