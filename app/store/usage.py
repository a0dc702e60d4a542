"""Which runs used a model config, and how its calls went in each of them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, and_, case, func, select

from app.store.models import CallRow, Run

ROLES = ("primary", "optimizer", "judge")


@dataclass(frozen=True, slots=True)
class Figures:
    """Calls of one role in one run; replies from the cache are not among them.

    answered, failed: settled calls with and without an answer. seconds: of the answered ones together. priced: answered ones
    whose price is known, usd of them together.
    """

    answered: int = 0
    failed: int = 0
    seconds: float = 0.0
    priced: int = 0
    usd: float = 0.0


def users(connection: Connection) -> list[tuple[str, str, int]]:
    """(run id, role, config id) of every run that named a config, deleted runs aside."""
    named = [Run.spec[role]["config"]["id"].as_integer() for role in ROLES]
    query = select(Run.id, *named).where(Run.deleted_at.is_(None)).order_by(Run.id)
    return [
        (run_id, role, config)
        for run_id, *configs in connection.execute(query)
        for role, config in zip(ROLES, configs, strict=True)
        if config is not None
    ]


def figures(connection: Connection, run_id: str) -> dict[str, Figures]:
    """How a run's calls went, by role."""
    bought = and_(CallRow.settled, ~CallRow.cached)
    replied = and_(bought, CallRow.error == "")
    query = (
        select(
            CallRow.role,
            func.sum(case((replied, 1), else_=0)),
            func.sum(case((and_(bought, CallRow.error.not_in(("", "unsent"))), 1), else_=0)),
            func.sum(case((replied, CallRow.ttlb_s), else_=0.0)),
            func.sum(case((and_(replied, CallRow.cost_usd.is_not(None)), 1), else_=0)),
            func.sum(case((replied, func.coalesce(CallRow.cost_usd, 0.0)), else_=0.0)),
        )
        .where(CallRow.run_id == run_id)
        .group_by(CallRow.role)
    )
    return {role: Figures(*sums) for role, *sums in connection.execute(query)}
