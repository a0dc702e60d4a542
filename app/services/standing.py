"""How far somebody has come: whether there is data, a prompt, a finished run."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app.store.models import Dataset, Prompt, Run


@dataclass(frozen=True, slots=True)
class Standing:
    """What exists already. waiting: runs are queued and nobody has claimed them. has_real_run: a training of a real model."""

    has_data: bool
    has_prompt: bool
    has_run: bool
    waiting: bool
    has_real_run: bool


def standing(session: Session) -> Standing:
    """Look once at every table that matters."""
    data, prompt, run, waiting, real = session.execute(
        select(
            exists().where(Dataset.deleted_at.is_(None)),
            exists().where(Prompt.deleted_at.is_(None)),
            exists().where(Run.kind == "train", Run.deleted_at.is_(None)),
            exists().where(Run.status == "queued"),
            exists().where(Run.kind == "train", Run.deleted_at.is_(None), Run.simulated.is_(False)),
        )
    ).one()
    return Standing(bool(data), bool(prompt), bool(run), bool(waiting), bool(real))
