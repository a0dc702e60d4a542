"""Who used a model config is read out of pinned specs, on both databases alike."""

from __future__ import annotations

import datetime as dt
from typing import Any

from app.store import usage
from app.store.database import Database
from app.store.models import Run

CONFIG = {"name": "m", "config": {"id": 7, "name": "steady", "revision": 1}}


def run(run_id: str, **more: Any) -> Run:
    return Run(id=run_id, kind="train", name="Run", status="queued", simulated=True, **more)


def test_every_role_that_names_a_config_is_found(database: Database) -> None:
    with database.session() as session:
        session.add(run("a", spec={"primary": CONFIG, "optimizer": None, "judge": CONFIG}))
        session.add(run("b", spec={"primary": {"name": "m"}, "optimizer": CONFIG}))
        session.add(run("c", spec={}))
        session.add(run("d", spec={"primary": CONFIG}, deleted_at=dt.datetime.now(dt.UTC)))
        session.commit()
    with database.engine.connect() as connection:
        assert usage.users(connection) == [("a", "primary", 7), ("a", "judge", 7), ("b", "optimizer", 7)]
        assert usage.figures(connection, "a") == {}
