"""Judge finished trainings again: under other scorers, acceptance, seed, or on a corrected version of their dataset."""

from __future__ import annotations

import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.ports.llm import Json
from app.services.rejudging.draft import FIELDS, defaults, parse
from app.services.rejudging.record import record_of
from app.services.runs.lookup import add_once
from app.store.models import Dataset, Run

__all__ = ["FIELDS", "defaults", "history", "parse", "record_of", "start"]


def start(session: Session, spec: Json, *, name: str = "", once: str = "") -> Run:
    """Queue the run; it belongs to no prompt of the library, so nothing of it gets there. Enqueue its id after this returns.

    once: an id for the run, made when its form was made: the same form sent twice gives the same run.
    """
    known = session.get(Run, once) if once else None
    if known and known.spec == spec:
        return known
    source = spec["source"]
    judge = spec["judge"]
    run = Run(
        id=once if once and not known else secrets.token_hex(5),
        kind="rejudge",
        name=(name or f"{source['name']}, judged again")[:200],
        status="queued",
        spec=spec,
        simulated=any(model and model["name"].startswith("simulated/") for model in (spec["primary"], judge)),
        dataset_id=spec["dataset"]["id"],
    )
    return add_once(session, run, once)


def history(session: Session, dataset: Dataset) -> list[tuple[Run, Run | None]]:
    """The finished trainings on the version that this one was made from, each with its newest re-judging on this one."""
    if dataset.parent_id is None:
        return []
    alive = select(Run).where(Run.deleted_at.is_(None)).order_by(Run.created_at.desc(), Run.id.desc())
    trained = alive.where(Run.dataset_id == dataset.parent_id, Run.kind == "train", Run.status == "done")
    again = session.scalars(alive.where(Run.dataset_id == dataset.id, Run.kind == "rejudge"))
    newest: dict[str, Run] = {}
    for run in again:
        newest.setdefault(run.spec["source"]["run"], run)
    return [(run, newest.get(run.id)) for run in session.scalars(trained)]
