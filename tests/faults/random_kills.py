"""Kill -9 of random workers and of processes of their pools at random moments, over a queue of runs, until all are done.

    python -m tests.faults.random_kills --kills 300 --database sqlite|postgresql [--seed 1] [--lease 2] [--sweep 0.3] [--pace 1]

Prints what it measured as JSON, and keeps it in docs/reliability.json with --keep.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.llm.gateway import Gateway
from app.services.drive import drive
from app.store.database import Database
from app.store.models import Run
from tests.fakes.openai_server import OpenAIServer
from tests.faults import measured
from tests.faults.oracle import bill, end_state
from tests.jobs.conftest import Workplace, processes_of
from tests.servers import copy_of, running_postgres, running_redis

SEEDS = (1, 2, 3)
WORKERS, ACTIVE, CONCURRENCY = 3, 4, 4
WHOLE_WORKERS = 0.15
"""Share of the kills that hit a whole worker; the others hit one process of its pool."""
LOOK_S = 0.05


@dataclass
class Watch:
    """How long runs are without a worker after a kill; looks at the database every LOOK_S seconds."""

    database: Database
    orphans: dict[str, tuple[int, float]] = field(default_factory=dict)
    recovered_s: list[float] = field(default_factory=list)

    def states(self) -> dict[str, tuple[str, int, str]]:
        """Status, fencing number and owner of every run."""
        with self.database.engine.connect() as connection:
            found = connection.execute(select(Run.id, Run.status, Run.fence, Run.lease_owner))
            return {run_id: (status, fence, owner) for run_id, status, fence, owner in found}

    def driven(self) -> dict[int, str]:
        """The runs that a process has a claim on, by its id."""
        states = self.states().items()
        return {int(owner.split(":")[-1]): id_ for id_, (status, _, owner) in states if status == "running"}

    def orphan(self, runs: list[str], fences: dict[str, int]) -> None:
        """These runs have just lost their worker."""
        for run_id in runs:
            self.orphans.setdefault(run_id, (fences[run_id], time.monotonic()))

    def look(self) -> None:
        """See which runs have been claimed again."""
        states = self.states()
        for run_id, (fence, since) in list(self.orphans.items()):
            if states[run_id][1] > fence:
                self.recovered_s.append(time.monotonic() - since)
                del self.orphans[run_id]
            elif states[run_id][0] == "done":  # it had just ended
                del self.orphans[run_id]

    def forever(self, stop: threading.Event) -> None:
        """Look until told to stop."""
        while not stop.wait(LOOK_S):
            self.look()


class Killing:
    """One series of kills in a place."""

    def __init__(self, place: Workplace, kills: int, chance: random.Random, pace_s: float) -> None:
        self.place, self.kills, self.chance, self.pace_s = place, kills, chance, pace_s
        self.watch = Watch(place.database)
        self.runs: dict[str, int] = {}
        self.hit = 0
        self.fault_free = {seed: self._undisturbed(seed) for seed in SEEDS}

    def until_done(self) -> None:
        """Kill until the number is reached, then wait until every run is done."""
        workers = [self.place.start_worker() for _ in range(WORKERS)]
        for number in range(self.kills):
            self._top_up()
            self.place.wait(lambda: self._busy(workers), "a worker drives a run", 120)
            time.sleep(min(self.chance.expovariate(1 / self.pace_s), 4 * self.pace_s))
            which = self.chance.randrange(WORKERS)
            if self._kill(workers, which):
                workers[which].wait()
                workers[which] = self.place.start_worker()
            if number % 10 == 9:
                print(f"{number + 1} kills, {len(self.runs)} runs", file=sys.stderr, flush=True)
        self.place.wait(lambda: not self._unfinished(), "every run is done", 180)

    def figures(self) -> dict[str, Any]:
        """What came of it. Raises: AssertionError when anything was lost or the bill is wrong."""
        database, paid = self.place.database, self.place.server.ledger.paid
        claims = {run_id: fence for run_id, (_, fence, _) in self.watch.states().items()}
        confirmed, at_most = bill(database, list(self.runs))
        lost = [run_id for run_id, seed in self.runs.items() if end_state(database, run_id) != self.fault_free[seed][0]]
        cost = sum(self.fault_free[seed][1] for seed in self.runs.values())
        waits = sorted(self.watch.recovered_s)
        found = {
            "kills": self.kills,
            "kills_that_hit_a_run": self.hit,
            "runs": len(self.runs),
            "lost": len(lost),
            "confirmed": confirmed,
            "paid": paid,
            "at_most": at_most,
            "repeated": paid - cost,
            "recovery_p50_s": round(waits[len(waits) // 2], 2),
            "recovery_p95_s": round(waits[int(len(waits) * 0.95)], 2),
        }
        assert not lost, found
        assert confirmed <= paid <= at_most, found
        assert paid - cost <= CONCURRENCY * sum(claims[run_id] - 1 for run_id in self.runs), found
        return found

    def _undisturbed(self, seed: int) -> tuple[str, int]:
        """End state and cost of a run that nobody disturbs."""
        before, run_id = self.place.server.ledger.paid, self._queue(seed)
        place = self.place
        drive(run_id, database=place.database, open_llm=lambda: Gateway(place.settings, {}), owner="0", lease_s=30)
        found = end_state(place.database, run_id), place.server.ledger.paid - before
        place.server.ledger.paid = before
        return found

    def _queue(self, seed: int) -> str:
        return self.place.queue(seed=seed, epochs=3, concurrency=CONCURRENCY)

    def _unfinished(self) -> list[str]:
        states = self.watch.states()
        return [run_id for run_id in self.runs if states[run_id][0] in ("queued", "running")]

    def _top_up(self) -> None:
        for _ in range(ACTIVE - len(self._unfinished())):
            seed = SEEDS[len(self.runs) % len(SEEDS)]
            self.runs[self._queue(seed)] = seed

    def _busy(self, workers: Sequence[subprocess.Popen[bytes]]) -> list[int]:
        """Living processes that drive a run."""
        driven = self.watch.driven()
        return [pid for worker in workers for pid in processes_of(worker.pid) if pid in driven]

    def _kill(self, workers: Sequence[subprocess.Popen[bytes]], which: int) -> bool:
        """Kill that worker, or a process of any pool, rather one that drives a run. True when it was the worker."""
        worker = workers[which].pid
        group, busy, driven = processes_of(worker), self._busy(workers), self.watch.driven()
        whole = self.chance.random() < WHOLE_WORKERS or not busy
        victim = worker if whole else self.chance.choice(busy)
        fences = {run_id: fence for run_id, (_, fence, _) in self.watch.states().items()}
        held = [driven[pid] for pid in (group if whole else [victim]) if pid in driven]
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        self.hit += bool(held)
        self.watch.orphan(held, fences)
        return whole


@contextmanager
def place_of(database: str, lease_s: float, sweep_s: float) -> Iterator[Workplace]:
    """A workplace on a database of that kind, with a Redis and a provider of its own."""
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="whetstone-kills-", ignore_cleanup_errors=True))
        )
        redis_url = stack.enter_context(running_redis())
        url = ""
        if database == "postgresql":
            url = stack.enter_context(copy_of(stack.enter_context(running_postgres()), "template1"))
        server = stack.enter_context(OpenAIServer(latency_s=0.03))
        environ = {"WHETSTONE_LEASE_S": str(lease_s), "WHETSTONE_SWEEP_S": str(sweep_s)}
        place = Workplace(folder, redis_url, server, url, environ)  # type: ignore[arg-type]
        stack.callback(place.close)
        yield place


def kill_at_random(
    database: str, kills: int, *, seed: int, lease_s: float, sweep_s: float, pace_s: float
) -> dict[str, Any]:
    """Everything, from an empty database to the figures."""
    with place_of(database, lease_s, sweep_s) as place:
        killing = Killing(place, kills, random.Random(seed), pace_s)
        stop = threading.Event()
        watcher = threading.Thread(target=killing.watch.forever, args=(stop,))
        watcher.start()
        began = time.monotonic()
        try:
            killing.until_done()
        finally:
            stop.set()
            watcher.join()
        settings = {
            "seed": seed,
            "lease_s": lease_s,
            "sweep_s": sweep_s,
            "minutes": round((time.monotonic() - began) / 60, 1),
        }
        return killing.figures() | settings


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lease", type=float, default=2.0)
    parser.add_argument("--sweep", type=float, default=0.3)
    parser.add_argument("--pace", type=float, default=1.0, help="seconds between two kills, on average")
    parser.add_argument("--keep", default="", help="name under which docs/reliability.json keeps the figures")
    args = parser.parse_args()
    figures = kill_at_random(
        args.database, args.kills, seed=args.seed, lease_s=args.lease, sweep_s=args.sweep, pace_s=args.pace
    )
    print(json.dumps(figures, indent=2))
    if args.keep:
        measured.write(args.keep, **figures)


if __name__ == "__main__":
    main()
