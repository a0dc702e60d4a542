"""A run with a bill that has everything in it: real and simulated money, two days, the cache, waits, and doubts."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict

from sqlalchemy.orm import Session

from app.store import spending
from app.store.models import CallRow, Event, Run
from app.store.statements import read_totals
from tests.web.seed import Seeded

PRIMARY, OPTIMIZER, OWN = "openai/gpt-5-mini", "simulated/optimizer", "openai/own"


def add(session: Session, seeded: Seeded, run_id: str = "r5bill") -> Run:
    """A paused run of today and yesterday, by the clock of this machine."""
    now = dt.datetime.now(dt.UTC)
    lanes = {PRIMARY: {"name": PRIMARY, "rpm": 240.0}, OPTIMIZER: {"name": OPTIMIZER, "rpm": None}}
    calls = {**seeded.finished.spec["calls"], "lanes": lanes, "on_uncertain": "ask"}
    run = Run(
        id=run_id, kind="train", name="bank messages, billed", status="paused", reason="2 calls were cut off after sending",
        simulated=True, dataset_id=seeded.dataset.id, prompt_id=seeded.prompt.id, created_at=now, started_at=now, fence=1,
        spec={**seeded.finished.spec, "cache": "reuse", "calls": calls},
    )  # fmt: skip
    session.add(run)
    session.flush()
    session.add(Event(run_id=run_id, note=None, name="status", data={"status": "paused", "reason": ""}))
    for number in range(60):
        at = now - dt.timedelta(days=number % 2, seconds=60 - number)
        session.add(_call(run_id, number, PRIMARY, "primary", at, cached=number % 3 == 0))
    for number in range(60, 64):
        session.add(_call(run_id, number, OPTIMIZER, "optimizer", now))
    session.add(_call(run_id, 64, OWN, "judge", now, cost=None))
    for number in (65, 66):
        session.add(_call(run_id, number, PRIMARY, "primary", now, settled=False))
    session.flush()
    spending.record(session.connection(), run_id)
    run.spent = asdict(read_totals(session.connection(), run_id))
    session.commit()
    return run


def _call(
    run_id: str,
    number: int,
    model: str,
    role: str,
    at: dt.datetime,
    *,
    cached: bool = False,
    settled: bool = True,
    cost: float | None = 0.0004,
) -> CallRow:
    waited = settled and number % 5 == 1
    return CallRow(
        run_id=run_id, key=f"k{number}", attempts=0 if cached else 1, role=role, model=model, lane=model, settled=settled,
        request={"model": {"name": model}, "messages": [{"role": "user", "content": f"question {number}"}]},
        reserved_usd=0.002, text="answer" if settled else "", finish_reason="stop" if settled else "",
        prompt_tokens=300 if settled else 0, completion_tokens=20 if settled else 0, cost_usd=cost if settled else None,
        ttlb_s=0.4, cached=cached, throttled_s=0.75 if waited and not cached else 0.0, limited=1 if number == 1 else 0,
        sent_at=at, settled_at=at if settled else None,
    )  # fmt: skip
