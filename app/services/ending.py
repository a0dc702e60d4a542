"""How the work on a run ended goes on record: its status and outcome, the new prompt versions, and when it is tried again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.ports.journal import LeaseLost
from app.ports.llm import Json
from app.services import prompts, runs
from app.store import claims
from app.store.database import Database
from app.store.models import Run


@dataclass(frozen=True, slots=True)
class End:
    """How the work on a run ended. outcome: None keeps what is on record. outage: it paused for one, and may be tried again.

    answered: whether any call got an answer.
    """

    status: claims.End
    reason: str = ""
    outcome: Json = None
    outage: bool = False
    answered: bool = True


def conclude(database: Database, claim: claims.Claim, end: End) -> str:
    """Status, outcome and the new prompt versions in one transaction. Returns the status. May be repeated.

    Raises: LeaseLost.
    """
    with database.session() as session:
        run = session.get_one(Run, claim.run_id)
        again = _again(run, end) if end.outage else None
        try:
            status = claims.finish(
                session, claim, status=end.status, reason=end.reason, outcome=end.outcome, again=again
            )
        except LeaseLost:
            session.rollback()
            if ended := _ended_by(session, claim):
                return ended  # the commit before had arrived, only its answer was lost
            raise
        run = session.get_one(Run, claim.run_id)
        prompts.adopt(session, run, runs.notes(session, run.id))
        session.commit()
        return status


def _again(run: Run, end: End) -> claims.Again | None:
    """When a run that an outage paused is tried again; None when only a person may do that."""
    first = run.spec["calls"].get("outage_retry_s", 0.0)
    outages = 1 if end.answered else run.outages + 1
    return claims.Again(min(claims.LONGEST_PAUSE_S, first * 2.0 ** min(outages - 1, 20)), outages) if first else None


def _ended_by(session: Session, claim: claims.Claim) -> str:
    """How the run ended under this claim; "" when it has not, or another claim came."""
    run = session.get(Run, claim.run_id)
    return run.status if run and run.fence == claim.fence and run.status not in ("running", "queued") else ""
