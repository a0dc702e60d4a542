"""A finished benchmark of three prompts, three configs and two runs, as a worker leaves it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.config import Settings
from app.llm.gateway import Gateway
from app.ports.llm import Json
from app.services import benchmarks, models, runs
from app.services.benchmarks.results import Results, results
from tests.faults.kinds import drive_to_end, small

SETTINGS = Settings()
MODELS = ["simulated/primary", "simulated/writer", "simulated/optimizer"]
FORM: dict[str, Any] = {"text": "Say one.", "models": MODELS, "reviewer_model": "simulated/judge"}


def parsed(session: Session, form: Mapping[str, Any] | None = None, **changes: Any) -> Json:
    return benchmarks.parse(
        session, {**(FORM if form is None else form), **changes}, settings=SETTINGS, gateway=gateway()
    )


def gateway() -> Gateway:
    return Gateway(SETTINGS, {})


def finished(session: Session, **changes: Any) -> Results:
    kind = small("benchmark")
    run_id = kind.queue(session, changes)
    drive_to_end(session, run_id, kind.rule)
    return results(session, runs.get(session, run_id))


def configs(session: Session, **skills: float) -> None:
    for name, skill in skills.items():
        models.create(session, name, {"model": "simulated/writer", "params": {"skill": skill, "latency_s": 0.001}})


def lines(*prompts: str) -> str:
    return "\n".join(json.dumps({"prompt": text}) for text in prompts)
