"""One worker at a time drives a run: it holds a lease with a number, and whoever has an older number changes nothing.

All times are the database's, so that workers with wrong clocks agree.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias, cast

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, insert, not_, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.ports.journal import LeaseLost, Wish
from app.ports.llm import Json
from app.store import spending
from app.store.database import Database
from app.store.models import Event, Run
from app.store.statements import read_totals
from app.store.types import epoch_now, utc_now

End: TypeAlias = Literal["done", "cancelled", "failed", "paused"]

LONGEST_LEASE_S = 30.0
"""An abandoned run must reach another worker soon."""
LONGEST_PAUSE_S = 1800.0
"""A run that an outage paused is tried again at least this often."""
_LATE_S = 1.0
"""Between two readings of the clock in one statement."""
_OWNER_CHARS = 80
_HELD = (
    select(Run.fence)
    .where(Run.id == bindparam("run_id"), Run.fence == bindparam("fence"), Run.status == "running")
    .with_for_update(read=True)
)
"""Made once: it comes with every commit of a journal."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to drive a run. fence: its number; ttl_s: seconds that the lease lasts without renewal.

    A helper writes under the driver's number with ttl_s 0: it hears wishes, and never prolongs the lease.
    """

    run_id: str
    fence: int
    ttl_s: float


@dataclass(frozen=True, slots=True)
class Again:
    """A run that an outage paused is tried again by itself. in_s: seconds from now. outages: how many in a row by now."""

    in_s: float
    outages: int


def claim(database: Database, run_id: str, owner: str, ttl_s: float = 20.0) -> Claim | None:
    """Take a run that is queued, whose worker let its lease expire, or that is due again after an outage.

    None when it needs no worker or has one.

    owner: who takes it, for people. ttl_s: in (0, 30]. Raises: ValueError for another ttl_s.
    """
    if not 0 < ttl_s <= LONGEST_LEASE_S:
        raise ValueError(f"a lease lasts up to {LONGEST_LEASE_S:g} s, not {ttl_s:g}")
    take = (
        update(Run)
        .where(Run.id == run_id, _needs_worker())
        .values(
            status="running",
            reason="",
            spent=None,
            fence=Run.fence + 1,
            lease_owner=owner[:_OWNER_CHARS],
            lease_until=epoch_now() + ttl_s,
            resume_at=0.0,
            started_at=func.coalesce(Run.started_at, utc_now()),
            ended_at=None,
        )
        .returning(Run.fence)
    )
    with database.engine.begin() as connection:
        fence = connection.execute(take).scalar_one_or_none()
        if fence is None:
            return None
        tell_status(connection, run_id, "running")
    return Claim(run_id, fence, ttl_s)


def abandoned(database: Database, limit: int = 100) -> list[str]:
    """Runs that need a worker, the oldest first: queued, running with an expired lease, or due again after an outage."""
    with database.engine.connect() as connection:
        query = select(Run.id).where(_needs_worker()).order_by(Run.created_at, Run.id).limit(limit)
        return list(connection.execute(query).scalars())


def is_attended(connection: Connection, run_id: str) -> bool:
    """True while a worker holds the run."""
    held = select(Run.id).where(Run.id == run_id, Run.status == "running", _is_leased())
    return connection.execute(held).first() is not None


def renew(connection: Connection, claim: Claim) -> Wish:
    """Prolong the lease from now on, unless it is a helper's claim, and hear what the user wishes.

    Does not commit. Raises: LeaseLost.
    """
    if not claim.ttl_s:
        guard(connection, claim)
        return cast(Wish, connection.scalar(select(Run.wish).where(Run.id == claim.run_id)))
    prolong = update(Run).where(_holds(claim)).values(lease_until=epoch_now() + claim.ttl_s).returning(Run.wish)
    wish = connection.execute(prolong).scalar_one_or_none()
    if wish is None:
        raise _lost(claim)
    return cast(Wish, wish)


def guard(connection: Connection, claim: Claim) -> None:
    """Keep every other claim away until the transaction ends. Raises: LeaseLost when one has come before."""
    if connection.execute(_HELD, {"run_id": claim.run_id, "fence": claim.fence}).first() is None:
        raise _lost(claim)


def finish(
    session: Session, claim: Claim, *, status: End, reason: str = "", outcome: Json = None, again: Again | None = None
) -> End:
    """Record how the work ended and give the run back. Does not commit. Raises: LeaseLost, and nothing is changed.

    reason: in words for a person. outcome: kept as it was when None. again: when an outage paused it. Returns the status that
    the run has now: the user may have cancelled while it was pausing for another cause.
    """
    connection = session.connection()
    guard(connection, claim)
    if status == "paused" and connection.scalar(select(Run.wish).where(Run.id == claim.run_id)) == "cancel":
        status, reason = "cancelled", "cancelled by the user"
    spending.record(connection, claim.run_id)
    values = {
        "status": status,
        "reason": reason,
        "wish": "",
        "ended_at": None if status == "paused" else utc_now(),
        "resume_at": epoch_now() + again.in_s if again and status == "paused" else 0.0,
        "outages": again.outages if again and status == "paused" else 0,
        "spent": asdict(read_totals(connection, claim.run_id)),
    }
    _give_back(connection, claim, values if outcome is None else values | {"outcome": outcome})
    tell_status(connection, claim.run_id, status, reason)
    session.expire_all()
    return status


def release(database: Database, claim: Claim) -> None:
    """Give a run back to the queue for another worker, with whatever the user wishes of it.

    Raises: LeaseLost, and nothing is changed.
    """
    with database.engine.begin() as connection:
        _give_back(connection, claim, {"status": "queued"})
        tell_status(connection, claim.run_id, "queued")


def tell_status(connection: Connection, run_id: str, status: str, reason: str = "") -> None:
    """Let those who watch the run see its new status."""
    connection.execute(insert(Event).values(run_id=run_id, name="status", data={"status": status, "reason": reason}))


def _give_back(connection: Connection, claim: Claim, values: dict[str, Json]) -> None:
    free = {"lease_owner": "", "lease_until": 0.0}
    if connection.execute(update(Run).where(_holds(claim)).values(values | free)).rowcount != 1:
        raise _lost(claim)


def _holds(claim: Claim) -> ColumnElement[bool]:
    return and_(Run.id == claim.run_id, Run.fence == claim.fence, Run.status == "running")


def _needs_worker() -> ColumnElement[bool]:
    return or_(
        Run.status == "queued",
        and_(Run.status == "running", not_(_is_leased())),
        and_(Run.status == "paused", Run.resume_at > 0, not_(is_ahead(Run.resume_at, LONGEST_PAUSE_S))),
    )


def _is_leased() -> ColumnElement[bool]:
    return is_ahead(Run.lease_until, LONGEST_LEASE_S)


def is_ahead(moment: InstrumentedAttribute[float], longest_s: float) -> ColumnElement[bool]:
    """Whether a moment is still to come by the database's clock, and no later than anybody could have meant.

    A later one was set before that clock was put back: it must not be waited for.
    """
    return and_(moment >= epoch_now(), moment <= epoch_now() + longest_s + _LATE_S)


def _lost(claim: Claim) -> LeaseLost:
    return LeaseLost(f"run {claim.run_id} is not held under number {claim.fence} any more")
