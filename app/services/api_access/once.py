"""Idempotency keys: a request that was sent twice is done once, and its second sending gets the first one's answer.

As in the IETF draft "The Idempotency-Key HTTP Header Field": the same key with another body is refused, and so is a second
sending while the first one is being done. When the server died in between, nobody knows whether it was done; that is said.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.services.errors import Conflict, Invalid, Problem
from app.store.api_access import KeptAnswer

KEPT = dt.timedelta(days=1)
"""How long an answer is given again."""


@dataclass(frozen=True, slots=True)
class Known:
    """An answer that was given before."""

    status: int
    location: str
    body: str


def begin(session: Session, key: str, request: str) -> Known | None:
    """Take the key for a request, or give the answer that it has already. Commits.

    key, request: digests of whose request it is and of what it says. Raises: Invalid when the key was used for something else;
    Conflict when the first sending has no answer (yet).
    """
    session.execute(delete(KeptAnswer).where(KeptAnswer.at < dt.datetime.now(dt.UTC) - KEPT))
    session.add(KeptAnswer(key=key, request=request))
    try:
        session.commit()
        return None
    except IntegrityError:
        session.rollback()
    kept = session.get(KeptAnswer, key)
    if kept is None:  # it was forgotten just now, since its first sending failed
        raise Conflict("the first request with this Idempotency-Key has just failed; send it again")
    if kept.request != request:
        raise Invalid([Problem("Idempotency-Key", "was used for another request within the last day; make a new one")])
    if not kept.status:
        since = f"{kept.at:%H:%M:%S} UTC"
        raise Conflict(
            f"the request with this Idempotency-Key was begun at {since} and has no answer yet; try again soon. If it "
            "stays so, the server was stopped in the middle: look whether it was done, and use a new key if not"
        )
    return Known(kept.status, kept.location, kept.body)


def finish(session: Session, key: str, answer: Known) -> None:
    """Keep the answer of a request that was begun. Commits."""
    if kept := session.get(KeptAnswer, key):
        kept.status, kept.location, kept.body = answer.status, answer.location, answer.body
        session.commit()


def forget(session: Session, key: str) -> None:
    """Free the key of a request that failed by a fault of ours, so that it can be sent again. Commits."""
    session.execute(delete(KeptAnswer).where(KeptAnswer.key == key))
    session.commit()
