"""The database goes away while a run buys: nothing is bought meanwhile, nothing paid is lost, and the run goes on by itself."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.fakes.openai_server import OpenAIServer
from tests.faults.proxy import Proxy
from tests.faults.store_place import CONCURRENCY, Place, counting, place, undisturbed
from tests.servers import OwnPostgres, own_postgres

__all__ = ["counting", "own_postgres", "undisturbed"]
pytestmark = [pytest.mark.faults, pytest.mark.slow]


@pytest.fixture
def postgres(own_postgres: OwnPostgres, counting: OpenAIServer, tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path / "data", counting, own_postgres.url) as here:
        yield here


@pytest.fixture
def proxied(migrated_postgres_url: str, counting: OpenAIServer, tmp_path: Path) -> Iterator[tuple[Place, Proxy]]:
    """A place that reaches its database through a proxy."""
    own = make_url(migrated_postgres_url)
    with Proxy(int(own.port or 0)) as proxy:
        url = own.set(port=proxy.port).render_as_string(hide_password=False)
        with place(tmp_path / "data", counting, url, migrated_postgres_url) as here:
            yield here, proxy


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT], ids=["in order", "crash"])
def test_a_restart_of_postgresql_does_not_end_the_claim(
    postgres: Place, own_postgres: OwnPostgres, undisturbed: tuple[str, int], number: signal.Signals
) -> None:
    run_id = postgres.queue()
    worker = postgres.driver(run_id)
    postgres.wait_until_paid(40)
    own_postgres.stop(number)
    time.sleep(1)
    at_rest = postgres.paid
    time.sleep(2)
    assert postgres.paid == at_rest, "nothing is bought while the database is away"
    own_postgres.start()
    postgres.database.close()
    postgres.wait_until_done(run_id)
    assert worker.wait(30) == 0
    assert postgres.run(run_id).fence == 1
    assert postgres.record(run_id) == undisturbed[0]
    assert postgres.paid == undisturbed[1]
    assert postgres.totals(run_id).uncertain_calls == 0
    assert postgres.spooled == 0


def test_a_worker_waits_for_a_database_that_is_away_for_a_minute(
    proxied: tuple[Place, Proxy], redis_url: str, undisturbed: tuple[str, int]
) -> None:
    here, proxy = proxied
    run_id = here.queue()
    here.worker(redis_url)
    here.wait_until_paid(40)
    proxy.refuse = True
    proxy.cut()
    time.sleep(1)
    at_rest = here.paid
    time.sleep(60)
    assert here.paid == at_rest
    proxy.refuse = False
    here.wait(lambda: here.paid > at_rest, "it buys again", 45)
    here.wait_until_done(run_id)
    assert here.record(run_id) == undisturbed[0]
    assert here.server.ledger.as_json()["repeated"] <= CONCURRENCY
    here.assert_bill(run_id)
    assert here.spooled == 0


def test_what_was_paid_is_kept_when_the_worker_is_ended_while_the_database_is_away(
    proxied: tuple[Place, Proxy], undisturbed: tuple[str, int]
) -> None:
    here, proxy = proxied
    here.server.latency_s = 0.4
    try:
        run_id = here.queue()
        worker = here.driver(run_id)
        here.wait_until_paid(40)
        proxy.refuse = True
        proxy.cut()
        here.wait(lambda: here.spooled, "answers wait in the spool")
        time.sleep(1)
        worker.kill()
        worker.wait()
    finally:
        here.server.latency_s = 0.05
    waiting, paid = here.spooled, here.paid
    assert waiting >= 1
    proxy.refuse = False
    here.wait_until_free(run_id)
    confirmed = here.totals(run_id)
    assert here.driver(run_id).wait(60) == 0
    assert here.record(run_id) == undisturbed[0]
    assert here.spooled == 0
    assert confirmed.calls + waiting <= paid
    assert here.totals(run_id).uncertain_calls == confirmed.uncertain_calls - waiting
    assert here.paid <= undisturbed[1] + CONCURRENCY - waiting
    here.assert_bill(run_id)


def test_a_worker_that_gives_up_leaves_the_run_to_the_sweep(
    proxied: tuple[Place, Proxy], redis_url: str, undisturbed: tuple[str, int]
) -> None:
    here, proxy = proxied
    here.environ["WHETSTONE_DATABASE_WAIT_S"] = "1"
    run_id = here.queue()
    here.worker(redis_url)
    here.wait_until_paid(40)
    proxy.refuse = True
    proxy.cut()
    here.wait(lambda: "another worker has to continue it" in here.log(), "the worker gives up")
    time.sleep(5)
    proxy.refuse = False
    here.wait_until_done(run_id)
    assert here.run(run_id).fence == 2
    assert here.record(run_id) == undisturbed[0]
    assert here.paid == undisturbed[1]
    assert here.totals(run_id).uncertain_calls <= CONCURRENCY  # intents whose commit was never confirmed were not sent
    here.assert_bill(run_id)


def test_a_connection_that_hangs_is_no_reason_to_buy(
    proxied: tuple[Place, Proxy], undisturbed: tuple[str, int]
) -> None:
    here, proxy = proxied
    run_id = here.queue()
    worker = here.driver(run_id)
    here.wait_until_paid(40)
    proxy.hang = True
    time.sleep(1)
    at_rest = here.paid
    time.sleep(5)
    assert here.paid == at_rest
    proxy.hang = False
    assert worker.wait(60) == 0
    assert here.record(run_id) == undisturbed[0]
    assert here.paid == undisturbed[1]


@pytest.mark.parametrize("calls", [1, 40, 90])
def test_a_commit_whose_answer_is_lost_is_read_again_and_repeated(
    proxied: tuple[Place, Proxy], undisturbed: tuple[str, int], calls: int
) -> None:
    here, proxy = proxied
    run_id = here.queue()
    worker = here.driver(run_id)
    for more in range(3):
        here.wait_until_paid(calls + more * 15)
        proxy.swallow_answer_to(b"COMMIT")
        assert proxy.swallowed.wait(20)
    assert worker.wait(60) == 0
    assert here.run(run_id).fence == 1
    assert here.record(run_id) == undisturbed[0]
    assert here.paid == undisturbed[1]
    assert here.totals(run_id).uncertain_calls == 0


def test_the_commit_that_ends_a_run_may_be_ambiguous(
    proxied: tuple[Place, Proxy], undisturbed: tuple[str, int]
) -> None:
    here, proxy = proxied
    run_id = here.queue()
    worker = here.driver(run_id)
    here.wait_until_paid(undisturbed[1] // 2)
    proxy.swallow_answer_to(b"COMMIT", after=b"UPDATE runs SET status=")
    assert worker.wait(60) == 0
    assert proxy.swallowed.is_set()
    assert here.log().splitlines()[-1] == "done"
    assert here.record(run_id) == undisturbed[0]
    assert here.paid == undisturbed[1]
