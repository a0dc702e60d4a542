"""A finished training to be judged again, driven to its end by models that are computed by rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.config import Settings
from app.core import scorers
from app.llm.gateway import Gateway
from app.ports.llm import Json
from app.services import rejudging
from app.services.rejudging.missing import Missing, count
from app.store.models import Run
from tests.fakes.llm import RuleLLM
from tests.faults import kinds

SETTINGS = Settings()
GATEWAY = Gateway(SETTINGS, {})


def finished(session: Session, **changes: Any) -> Run:
    """A small training, done."""
    run_id = kinds.small("train").queue(session, {"epochs": 4, "shorten": "off"} | changes)
    kinds.drive_to_end(session, run_id)
    run = session.get_one(Run, run_id)
    session.refresh(run)
    return run


def spec_of(session: Session, run: Run, changes: Mapping[str, Any]) -> Json:
    """The spec of judging it again with these fields changed."""
    return rejudging.parse(session, run, changes, settings=SETTINGS, gateway=GATEWAY, tools=scorers.NO_TOOLS)


def missing(session: Session, run: Run, **changes: Any) -> Missing:
    """What judging it again so would have to buy."""
    return count(session, spec_of(session, run, changes), gateway=GATEWAY, tools=scorers.NO_TOOLS)


def again(session: Session, run: Run, **changes: Any) -> tuple[Run, RuleLLM]:
    """The run judged again, done, and its models with what they were paid for."""
    made = rejudging.start(session, spec_of(session, run, changes))
    llm = kinds.drive_to_end(session, made.id)
    session.refresh(made)
    return made, llm
