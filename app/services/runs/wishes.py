"""What a user may ask of a run. A worker hears the wish within seconds; where there is no worker it is done at once."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.desk import INTERRUPTED, UNKNOWN_FATE
from app.ports.journal import Wish
from app.services import prompts
from app.services.errors import Conflict, Invalid, Problem
from app.services.runs.lookup import locked
from app.services.runs.record import notes
from app.store import spending
from app.store.claims import is_attended, tell_status
from app.store.models import Run
from app.store.statements import cut_off, decide_cut_off
from app.store.types import epoch_now, utc_now

IMPORTED = "it was imported from another installation, and is only looked at here; clone its settings to go on from it"
ENDED = frozenset({"done", "cancelled", "failed"})
DECISIONS = {"": "", "repeat": INTERRUPTED, "skip": UNKNOWN_FATE}
"""What cut-off calls are recorded as, by what a person says of them."""


def request_pause(session: Session, run_id: str) -> Run:
    """Stop after the calls under way; a paused run stays paused until somebody resumes it.

    Raises: NotFound; Conflict when it has ended.
    """
    with locked(session, run_id) as run:
        _refuse(run, ENDED, "paused")
        if run.status == "paused":
            run.resume_at = 0.0  # now it waits for a person, outage or not
        elif run.wish != "cancel":
            _ask(session, run, "pause", "paused", "paused by the user")
    return run


def request_cancel(session: Session, run_id: str) -> Run:
    """End it for good, keeping what was done. Raises: NotFound; Conflict when it has ended otherwise."""
    with locked(session, run_id) as run:
        _refuse(run, ENDED - {"cancelled"}, "cancelled")
        if run.status != "cancelled":
            _ask(session, run, "cancel", "cancelled", "cancelled by the user")
    return run


def request_resume(session: Session, run_id: str, uncertain: str = "") -> Run:
    """Let a paused or failed run go on where it stopped, or take back the wish that it pauses.

    uncertain: what becomes of calls that were cut off after sending, repeat or skip; "" leaves it to the run's own rule.
    Enqueue it afterwards. Raises: NotFound; Conflict when it is over; Invalid when the run asks about such calls and got no
    answer.
    """
    if uncertain not in DECISIONS:
        raise Invalid([Problem("uncertain", f"must be repeat or skip, not {uncertain[:40]!r}")])
    with locked(session, run_id) as run:
        _refuse(run, frozenset({"done", "cancelled"}), "resumed")
        if run.imported_at:
            raise Conflict(f"Run {run.id} cannot be resumed: {IMPORTED}.")
        if run.status in ("paused", "failed"):
            if run.calls_pruned_at:
                raise Conflict(f"The calls of run {run.id} were removed to save room; clone it instead.")
            _decide(session, run, uncertain)
            _change(session, run, "queued", "")
        elif run.wish == "pause":
            run.wish = ""
    return run


def undecided(session: Session, run: Run) -> int:
    """How many cut-off calls the run wants a decision about before it goes on."""
    if run.status not in ("paused", "failed") or run.spec["calls"].get("on_uncertain") != "ask":
        return 0
    return cut_off(session.connection(), run.id)


def resumes_in(session: Session, run: Run) -> float | None:
    """Seconds until a run that an outage paused is tried again by itself; None when it waits for a person."""
    if run.status != "paused" or not run.resume_at:
        return None
    now: float = session.scalars(select(epoch_now())).one()
    return max(0.0, run.resume_at - now)


def _decide(session: Session, run: Run, uncertain: str) -> None:
    if uncertain:
        decide_cut_off(session.connection(), run.id, error=DECISIONS[uncertain])
    elif cut := undecided(session, run):
        calls = "1 call was" if cut == 1 else f"{cut} calls were"
        raise Invalid(
            [Problem("uncertain", f"{calls} cut off after sending; say whether to send again (repeat) or not (skip)")]
        )


def _refuse(run: Run, states: frozenset[str], what: str) -> None:
    if run.status in states:
        raise Conflict(f"Run {run.id} is {run.status}; it cannot be {what} any more.")


def _ask(session: Session, run: Run, wish: Wish, status: str, reason: str) -> None:
    if is_attended(session.connection(), run.id):
        run.wish = wish
        return
    # A worker that was only frozen must find that the run is not its own any more.
    run.fence += 1
    run.lease_owner, run.lease_until = "", 0.0
    spending.settle(session.connection(), run.id)
    _change(session, run, status, reason)
    if status in ENDED:
        prompts.adopt(session, run, notes(session, run.id))


def _change(session: Session, run: Run, status: str, reason: str) -> None:
    run.status, run.reason, run.wish, run.resume_at = status, reason, "", 0.0
    run.ended_at = utc_now() if status in ENDED else None
    session.flush()
    tell_status(session.connection(), run.id, status, reason)
    session.refresh(run)
