"""What a user may ask of a run. A worker hears the wish within seconds; where there is no worker it is done at once."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.ports.journal import Wish
from app.services import prompts
from app.services.errors import Conflict
from app.services.runs.lookup import locked
from app.services.runs.record import notes
from app.store.claims import is_attended, tell_status
from app.store.models import Run
from app.store.types import utc_now

ENDED = frozenset({"done", "cancelled", "failed"})


def request_pause(session: Session, run_id: str) -> Run:
    """Stop after the calls under way; a paused run stays as it is. Raises: NotFound; Conflict when it has ended."""
    with locked(session, run_id) as run:
        _refuse(run, ENDED, "paused")
        if run.status != "paused" and run.wish != "cancel":
            _ask(session, run, "pause", "paused", "paused by the user")
    return run


def request_cancel(session: Session, run_id: str) -> Run:
    """End it for good, keeping what was done. Raises: NotFound; Conflict when it has ended otherwise."""
    with locked(session, run_id) as run:
        _refuse(run, ENDED - {"cancelled"}, "cancelled")
        if run.status != "cancelled":
            _ask(session, run, "cancel", "cancelled", "cancelled by the user")
    return run


def request_resume(session: Session, run_id: str) -> Run:
    """Let a paused or failed run go on where it stopped, or take back the wish that it pauses.

    Enqueue it afterwards. Raises: NotFound; Conflict when it is over.
    """
    with locked(session, run_id) as run:
        _refuse(run, frozenset({"done", "cancelled"}), "resumed")
        if run.status in ("paused", "failed"):
            _change(session, run, "queued", "")
        elif run.wish == "pause":
            run.wish = ""
    return run


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
    _change(session, run, status, reason)
    if status in ENDED:
        prompts.adopt(session, run, notes(session, run.id))


def _change(session: Session, run: Run, status: str, reason: str) -> None:
    run.status, run.reason, run.wish = status, reason, ""
    run.ended_at = utc_now() if status in ENDED else None
    session.flush()
    tell_status(session.connection(), run.id, status, reason)
    session.refresh(run)
