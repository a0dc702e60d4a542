"""Redis restarted, emptied, slow, away or full: it only carries hints, so nothing is lost and pages stay fast."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import redis

from app.services import datasets, hints
from tests.faults.conftest import FaultFree
from tests.faults.oracle import assert_bill, end_state
from tests.faults.pages import SLOWEST_S, Pages
from tests.faults.proxy import Proxy
from tests.jobs.conftest import Workplace

pytestmark = pytest.mark.faults


@pytest.fixture
def proxy(place: Workplace) -> Iterator[Proxy]:
    """Between the place's processes and Redis."""
    port = int(urlsplit(place.redis_url).port or 0)
    with Proxy(port) as proxy:
        place.redis_url = f"redis://127.0.0.1:{proxy.port}/0"
        yield proxy


def assert_unharmed(place: Workplace, run_id: str, undisturbed: FaultFree) -> None:
    place.wait_until_done(run_id)
    assert end_state(place.database, run_id) == undisturbed.state
    assert place.server.ledger.paid == undisturbed.calls
    assert_bill(place.database, [run_id], place.server.ledger.paid)


@pytest.mark.parametrize(("delay_s", "drip_s"), [(0.3, 0.0), (0.0, 0.0005)], ids=["delay", "drip"])
def test_redis_is_slow(place: Workplace, proxy: Proxy, undisturbed: FaultFree, delay_s: float, drip_s: float) -> None:
    proxy.delay_s, proxy.drip_s = delay_s, drip_s
    run_id = place.queue()
    place.start_worker()
    began = time.monotonic()
    hints.send(place.redis_url, run_id)
    assert time.monotonic() - began < SLOWEST_S
    assert_unharmed(place, run_id, undisturbed)


GONE = ("refused", "silent", "stalled")
"""Nobody takes a connection; connections are taken and never answered; the present connections fall silent."""


def take_away(proxy: Proxy, how: str) -> None:
    proxy.refuse, proxy.hang, proxy.delay_s = how == "refused", how in ("silent", "stalled"), 0.3 * (how == "slow")
    if how != "stalled":
        proxy.cut()


def give_back(proxy: Proxy) -> None:
    proxy.refuse, proxy.hang, proxy.delay_s = False, False, 0.0
    proxy.cut()


@pytest.mark.parametrize("how", GONE)
def test_redis_goes_away_in_the_middle(place: Workplace, proxy: Proxy, undisturbed: FaultFree, how: str) -> None:
    """The run that is under way ends; the next one waits in the database and is found when Redis is back."""
    run_id = place.queue()
    worker = place.start_worker()
    place.wait_until_paid(40)
    take_away(proxy, how)
    assert_unharmed(place, run_id, undisturbed)
    second = place.queue(seed=7)
    assert not hints.send(place.redis_url, second)
    give_back(proxy)
    place.wait_until_done(second)
    assert worker.poll() is None


@pytest.mark.parametrize("how", [*GONE, "full", "slow"])
def test_pages_are_fast_without_redis_and_say_what_waits(place: Workplace, proxy: Proxy, how: str) -> None:
    pages = Pages(place)
    started = pages.post("/api/v1/trainings", form_of(place))
    assert started.status == 201, started.text
    fill(place, 1) if how == "full" else take_away(proxy, how)
    answers = [pages.get(path) for path in ("/", "/runs", "/trainings/new", "/datasets", "/readyz") for _ in range(2)]
    answers.append(pages.post("/api/v1/trainings", form_of(place, seed=7)))
    give_back(proxy)
    fill(place, 0)
    assert [a.status for a in answers if a.status not in (200, 201)] == []
    assert max(a.seconds for a in answers) < SLOWEST_S
    assert "Runs are waiting" in answers[0].text
    place.start_worker()
    for one in (started, answers[-1]):
        place.wait_until_done(json.loads(one.text)["id"])


def fill(place: Workplace, most_bytes: int) -> None:
    """Let Redis hold no more than that, so that it takes no writes; 0 for no limit."""
    with redis.Redis.from_url(place.redis_url) as client:
        client.config_set("maxmemory", str(most_bytes))


def form_of(place: Workplace, **changes: object) -> dict[str, object]:
    """A training as it is asked for over the API."""
    base = place.server.url + "/v1"
    with place.database.session() as session:
        name = datasets.import_sample(session, "support_intents.csv").name
    models = {"primary_model": "openai/rule", "optimizer_model": "openai/proposer"}
    bases = {"api_base": base, "optimizer_api_base": base}
    return {"dataset": name, "system_prompt": "Classify.", **models, **bases, "epochs": 1, **changes}
