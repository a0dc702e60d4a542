"""A run from another installation: its folder is checked, and comes in whole or not at all. Nothing of it is executed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.ports.llm import Json
from app.services.pictures import Loader
from app.services.transfer.checking import Tell, check
from app.services.transfer.source import FolderSource, Limits, Source, ZipSource
from app.services.transfer.storing import store
from app.store.models import Run

__all__ = ["FolderSource", "Imported", "Limits", "Source", "ZipSource", "import_run"]


@dataclass(frozen=True)
class Imported:
    """The run, and whether it was here already, so that nothing was imported."""

    run: Run
    already: bool


def import_run(
    session: Session,
    source: Source,
    limits: Limits,
    *,
    again: bool = False,
    tell: Tell | None = None,
    images: Loader | None = None,
) -> Imported:
    """Import a run and commit; one that is here already is handed back, unless again is set.

    images: how they are kept here; None where a run with images is refused.
    Raises: Invalid, naming file and line of the record, and nothing was stored.
    """
    checked = check(source, limits, tell, images)
    known = None if again else _known(session, checked.run)
    return Imported(known, True) if known else Imported(store(session, source, checked, tell, images), False)


def _known(session: Session, about: Json) -> Run | None:
    """The run itself, or the newest import of it."""
    ids = {about["id"], about["origin"]} - {None}
    same = or_(Run.id.in_(ids), Run.origin_id.in_(ids))
    query = select(Run).where(same, Run.deleted_at.is_(None)).order_by(Run.imported_at.desc(), Run.id).limit(1)
    return session.scalars(query).first()
