"""Wait for a run: one that this process drives itself, or one that a worker drives."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import dataclass

from app import wiring
from app.cli.console import Exit, say
from app.cli.serve import until_told
from app.cli.watch import Watcher
from app.ports.live import Ear
from app.services import runs
from app.services.errors import Conflict
from app.store.models import Run


@dataclass(frozen=True)
class Waited:
    """A run after the waiting. interrupted: Ctrl-C ended it."""

    run: Run
    interrupted: bool


def here(run_id: str, *, ear: Ear | None = None, quiet: bool = False) -> Waited:
    """Drive the run in this process and show how it goes. Ctrl-C pauses it, a second one ends the process at once.

    ear: hears answers while they come, in place of the pages. quiet: show nothing else.
    """
    failure: list[BaseException] = []
    with until_told() as stop:

        def work() -> None:
            try:
                # It returns at once when a worker was faster; then we only watch.
                wiring.drive(run_id, (lambda _: ear) if ear else None)
            except BaseException as error:  # noqa: BLE001  raised again by the thread that waits
                failure.append(error)
                stop.set()

        worker = threading.Thread(target=work, name="drive", daemon=True)
        worker.start()
        Watcher(wiring.database(), run_id, quiet=quiet).follow(stop)
        interrupted = stop.is_set() and not failure
        if interrupted and worker.is_alive():
            _pause(run_id, worker)
        worker.join()
    if failure:
        raise failure[0]
    with wiring.database().session() as session:
        return Waited(runs.get(session, run_id), interrupted)


def _pause(run_id: str, worker: threading.Thread) -> None:
    say("Pausing; what is under way is kept (Ctrl-C again to end at once) ...")
    with until_told() as again:
        with wiring.database().session() as session, suppress(Conflict):  # it may have ended in this moment
            runs.request_pause(session, run_id)
        while worker.is_alive() and not again.is_set():
            worker.join(0.1)
        if worker.is_alive():
            os._exit(Exit.STOPPED)


def through_worker(run_id: str) -> Waited:
    """Hint at the run and watch it. Ctrl-C ends the watching, not the run."""
    if not wiring.enqueue(run_id):
        say("Redis is away; the run waits in the database until a worker finds it.")
    return watch(run_id)


def watch(run_id: str) -> Waited:
    """Show how a run goes until it is over or paused. Ctrl-C ends the watching, not the run."""
    with until_told() as stop:
        run = Watcher(wiring.database(), run_id).follow(stop)
        if stop.is_set():
            say(f"The run goes on; see it with: whetstone runs watch {run_id}")
    return Waited(run, stop.is_set())
