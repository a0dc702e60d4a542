"""What is said of a config counts its own calls alone, and every mean says what it rests on."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.services import models
from app.store.models import CallRow, Run


def run(session: Session, run_id: str, **roles: int) -> None:
    spec: dict[str, Any] = {"primary": None, "optimizer": None}
    spec |= {role: {"name": "m", "config": {"id": config}} for role, config in roles.items()}
    session.add(Run(id=run_id, kind="train", name=run_id, status="running", spec=spec, simulated=False))
    session.flush()


def call(session: Session, run_id: str, number: int, role: str, **said: Any) -> None:
    row = {"settled": True, "ttlb_s": 2.0, "cost_usd": 0.5} | said
    session.add(
        CallRow(run_id=run_id, key=f"{number}", attempts=1, role=role, model="m", request={}, reserved_usd=None, **row)
    )


def test_calls_of_its_roles_are_counted_and_no_others(session: Session) -> None:
    run(session, "a", primary=1, judge=1)
    run(session, "b", primary=2, optimizer=1)
    run(session, "c")
    call(session, "a", 1, "primary", ttft_s=1.5, completion_tokens=21, reasoning_tokens=11)
    call(
        session,
        "a",
        2,
        "judge",
        ttlb_s=4.0,
        ttft_s=3.0,
        cost_usd=None,
        completion_tokens=30,
        reasoning_tokens=9,
        raw={"reasoning": "Hm"},
    )
    call(session, "a", 3, "optimizer", ttlb_s=99.0)
    call(session, "a", 4, "primary", cached=True, ttlb_s=99.0)
    call(session, "a", 5, "primary", error="timed_out", ttlb_s=99.0)
    call(session, "a", 6, "primary", error="unsent")
    call(session, "a", 7, "primary", settled=False)
    call(session, "b", 1, "optimizer", cost_usd=0.1)
    call(session, "c", 1, "primary")
    session.commit()
    found = models.statistics(session)
    assert found.keys() == {1, 2}
    assert found[2] == models.Statistics(runs=1)
    speed = found[1].speed
    assert found[1] == models.Statistics(2, 3, 1, pytest.approx(8 / 3), 2, pytest.approx(0.3), speed)
    assert (speed["replies"], speed["ttlb_s"]["n"], speed["ttft_s"]["n"]) == (3, 3, 2)
    assert speed["ttlb_s"]["p50"] == pytest.approx(2.0, rel=0.005)
    assert speed["output_tokens_per_s"]["p50"] == pytest.approx(20.0, rel=0.005), "21 tokens, 11 thought unseen"
