"""What a run does about outages, calls that were cut off, shared limits and shared work, with real workers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from app.services import runs
from app.services.errors import Invalid
from app.store.models import ShardRow
from tests.fakes.faults import Fault
from tests.faults.conftest import FaultFree
from tests.faults.oracle import assert_bill
from tests.faults.proxy import Proxy
from tests.faults.test_workers import CONCURRENCY, MIDDLE, assert_unharmed, driver
from tests.jobs.conftest import Workplace

pytestmark = pytest.mark.faults
BOTH = pytest.mark.parametrize("place", ["sqlite", "postgresql"], indirect=True)


def hasty(place: Workplace) -> None:
    """Let what is queued from now on give up soon, and come back soon."""
    calls = {"outage_retry_s": 1.0, "retries": 1, "backoff_s": 0.05, "circuit_failures": 4}
    place.settings = place.settings.model_copy(update={"calls": place.settings.calls.model_copy(update=calls)})


@BOTH
def test_a_run_that_an_outage_paused_goes_on_by_itself(place: Workplace, undisturbed: FaultFree) -> None:
    hasty(place)
    place.server.play(Fault("503", times=None, after=MIDDLE))
    run_id = place.queue()
    place.start_worker()
    place.wait(lambda: place.run(run_id).outages >= 2, "it pauses, tries again, and pauses again")
    asked = place.server.ledger.requests
    assert asked <= MIDDLE + 8 * CONCURRENCY, "an outage is not hammered"
    place.server.play()
    place.wait(lambda: place.run(run_id).status == "done", "it goes on by itself", 60)
    assert_unharmed(place, run_id, undisturbed, crashes=0)


@BOTH
def test_a_wrong_key_is_resumed_by_hand_alone(place: Workplace, undisturbed: FaultFree) -> None:
    hasty(place)
    place.server.play(Fault("401", times=None, after=MIDDLE))
    run_id = place.queue()
    place.start_worker()
    place.wait(lambda: place.run(run_id).status == "paused", "it pauses")
    assert place.run(run_id).resume_at == 0
    place.server.play()
    with place.database.session() as session:
        runs.request_resume(session, run_id)
    assert_unharmed(place, run_id, undisturbed, crashes=0)


@BOTH
def test_a_person_is_asked_about_calls_that_were_cut_off(place: Workplace, undisturbed: FaultFree) -> None:
    run_id = place.queue(on_uncertain="ask")
    place.start_worker()
    place.wait_until_paid(MIDDLE)
    os.kill(driver(place, run_id), signal.SIGKILL)
    place.wait(lambda: place.run(run_id).status == "paused", "it asks")
    paid = place.server.ledger.paid
    assert paid <= MIDDLE + 2 * CONCURRENCY, "nothing was bought before the answer"
    with place.database.session() as session:
        with pytest.raises(Invalid, match="cut off"):
            runs.request_resume(session, run_id)
        runs.request_resume(session, run_id, uncertain="repeat")
    assert_unharmed(place, run_id, undisturbed, crashes=1)


@BOTH
def test_calls_that_were_cut_off_are_left_out_when_that_is_wished(place: Workplace) -> None:
    run_id = place.queue(on_uncertain="skip")
    place.start_worker()
    place.wait_until_paid(MIDDLE)
    os.kill(driver(place, run_id), signal.SIGKILL)
    place.wait_until_done(run_id)
    assert place.server.ledger.as_json()["repeated"] == 0
    assert_bill(place.database, [run_id], place.server.ledger.paid)


@pytest.fixture
def proxy(place: Workplace) -> Iterator[Proxy]:
    """Between the place's processes and Redis."""
    with Proxy(int(urlsplit(place.redis_url).port or 0)) as proxy:
        place.redis_url = f"redis://127.0.0.1:{proxy.port}/0"
        yield proxy


def test_redis_goes_away_while_it_shares_a_rate_limit(place: Workplace, proxy: Proxy, undisturbed: FaultFree) -> None:
    run_id = place.queue(target_rpm=1200)
    place.start_worker()
    place.wait_until_paid(MIDDLE)
    proxy.refuse = True
    proxy.cut()
    place.wait_until_done(run_id)
    proxy.refuse = False
    assert_unharmed(place, run_id, undisturbed, crashes=place.run(run_id).fence - 1)


@BOTH
def test_the_death_of_a_helper_costs_only_its_calls_under_way(place: Workplace, undisturbed: FaultFree) -> None:
    place.environ |= {"WHETSTONE_SHARE_ABOVE": "12", "WHETSTONE_SHARE_WITH": "2"}
    place.server.latency_s = 0.2
    try:
        run_id = place.queue()
        for _ in range(2):
            place.start_worker()
        place.wait(lambda: helpers(place, run_id), "somebody helps", 60)
        os.kill(helpers(place, run_id)[0], signal.SIGKILL)
        place.wait_until_done(run_id)
    finally:
        place.server.latency_s = 0.05
    assert_unharmed(place, run_id, undisturbed, crashes=1)


def helpers(place: Workplace, run_id: str) -> list[int]:
    """Processes that buy a part of the run and do not drive it."""
    with place.database.session() as session:
        owners = session.scalars(select(ShardRow.owner).where(ShardRow.run_id == run_id, ShardRow.status == "taken"))
        pids = [int(owner.rpartition(":")[2]) for owner in owners if owner]
    return [pid for pid in pids if pid != driver(place, run_id)]
