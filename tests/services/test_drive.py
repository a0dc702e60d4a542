"""A worker may die at any moment: another one continues the run, and nothing that was finished is paid for twice."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.core.catalog import KINDS
from app.core.kinds import training
from app.ports.llm import Json, Unauthorized
from app.services import prompts, runs
from app.services.drive import drive
from app.services.training.draft import examples_of
from app.store import claims
from app.store.database import Database
from app.store.models import CallRow, Dataset, Event, Example, Prompt, PromptVersion, Run
from tests.core.training_world import INSTRUCTIONS, OPTIMIZER, PRIMARY, SAMPLE
from tests.fakes.llm import RuleLLM
from tests.services.killed_worker import rule, work

PROGRAM = Path(__file__).with_name("killed_worker.py")
SOME_WRITES = (2, 20, 64, 130)
CONCURRENCY = 4


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    url = f"sqlite:///{tmp_path}/app.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with Database(url) as database:
        database.upgrade()
        with database.session() as session:
            add_dataset(session)
        yield database


def add_dataset(session: Any) -> None:
    """48 rows of the bundled sample."""
    import csv

    from app.core.datasets import statistics

    with SAMPLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    rows = [rows[i] for step in range(3) for i in range(step, len(rows), 3)][:48]
    triples = [(i, *row) for i, row in enumerate(rows, start=1)]
    session.add(Dataset(name="d", digest="d", source="d.csv", rows=48, report={}, statistics=statistics(triples)))
    session.flush()
    session.add_all(Example(dataset_id=1, row=i, input=a, reference=b, extra={}) for i, a, b in triples)
    session.commit()


def queue(database: Database, **changes: Json) -> str:
    from app.core.datasets import split

    with database.session() as session:
        parts = split(examples_of(session, 1), (50, 25, 25), 8)
        spec = {
            "dataset": {"id": 1, "name": "d", "digest": "d"},
            "split": {"ratios": [50, 25, 25], "seed": 8, "digest": parts.digest, "notes": []},
            "prompt": "p",
            "system_prompt": "Classify the message.",
            "output_prompt": "",
            "primary": {"name": PRIMARY.name, "params": dict(PRIMARY.params), "api_base": None},
            "optimizer": {"name": OPTIMIZER.name, "params": dict(OPTIMIZER.params), "api_base": None},
            "scorers": [{"name": "exact_match"}],
            "strategy": "full_rewrite",
            "instructions": INSTRUCTIONS,
            "acceptance": "improvement",
            "alpha": 0.05,
            "min_delta": 0.0,
            "epochs": 4,
            "batch_size": 8,
            "patience": 4,
            "concurrency": CONCURRENCY,
            "seed": 8,
            "max_prompt_chars": 6000,
            "failures": 8,
            "successes": 2,
            "budget": {"usd": None, "calls": None, "tokens": None, "minutes": None},
            "calls": {"deadline_s": 5, "retries": 1, "backoff_s": 0.01, "max_wait_s": 1, "circuit_failures": 5},
        }
        prompt = session.scalar(select(Prompt)) or prompts.create(
            session, "p", kind="pair", system_prompt=spec["system_prompt"], output_prompt=""
        )
        run = Run(
            id=secrets.token_hex(5),
            kind="train",
            name="r",
            status="queued",
            spec=spec | changes,
            simulated=True,
            dataset_id=1,
            prompt_id=prompt.id,
        )
        session.add(run)
        session.commit()
        return run.id


def wait_until_abandoned(database: Database, run_id: str) -> None:
    """Until the dead worker's lease has ended by the database's clock."""
    deadline = time.monotonic() + 20
    while run_id not in claims.abandoned(database):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def record(database: Database, run_id: str) -> str:
    """Outcome and history as bytes to compare."""
    with database.session() as session:
        run = session.get_one(Run, run_id)
        assert run.status == "done", run.reason
        return json.dumps(
            [run.outcome, [[e.note, e.name, e.data] for e in runs.notes(session, run_id)]], sort_keys=True
        )


def test_a_run_is_driven_to_its_end_and_its_proposals_become_versions(database: Database, tmp_path: Path) -> None:
    run_id = queue(database)
    status, _ = work(database.engine.url.render_as_string(hide_password=False), run_id, 0, tmp_path / "paid")
    assert status == "done"
    with database.session() as session:
        run = session.get_one(Run, run_id)
        versions = list(session.scalars(select(PromptVersion).order_by(PromptVersion.number)))
        assert run.outcome["verdict"] in ("ship", "keep", "indecisive")
        assert len(versions) == 1 + run.outcome["proposals"]
        assert {v.run_id for v in versions[1:]} == {run_id}
        assert all(v.parent_id for v in versions[1:])
        assert len((tmp_path / "paid").read_text().splitlines()) == runs.totals(session, run_id).calls
        unsettled = session.scalars(select(CallRow).where(CallRow.settled.is_(False))).all()
        assert unsettled == []


def test_killed_at_many_writes_it_ends_as_if_nothing_had_happened(database: Database, tmp_path: Path) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    undisturbed = queue(database)
    _, writes = work(url, undisturbed, 0, tmp_path / "undisturbed")
    expected, cost = record(database, undisturbed), len((tmp_path / "undisturbed").read_text().splitlines())
    places = [at for at in SOME_WRITES if at <= writes]
    assert len(places) == 4
    for at in places if database.is_sqlite else places[1::2]:
        run_id, paid = queue(database), tmp_path / f"paid{at}"
        killed = subprocess.run([sys.executable, str(PROGRAM), url, run_id, str(at), str(paid)], capture_output=True)
        assert killed.returncode == -9, killed.stderr.decode()
        wait_until_abandoned(database, run_id)
        assert work(url, run_id, 0, paid)[0] == "done"
        assert record(database, run_id) == expected, f"killed at write {at}"
        bought = len(paid.read_text().splitlines())
        assert bought - cost <= CONCURRENCY
        with database.session() as session:
            totals = runs.totals(session, run_id)
            assert totals.calls <= bought <= totals.calls + totals.uncertain_calls


def test_a_dataset_that_changed_fails_the_run_by_name(database: Database, tmp_path: Path) -> None:
    run_id = queue(database)
    with database.session() as session:
        session.scalars(select(Example)).first().input = "something else"  # type: ignore[union-attr]
        session.commit()
    work(database.engine.url.render_as_string(hide_password=False), run_id, 0, tmp_path / "paid")
    with database.session() as session:
        run = session.get_one(Run, run_id)
        assert (run.status, "not the one that this run was made for" in run.reason) == ("failed", True)
        assert not (tmp_path / "paid").exists()


def test_minutes_count_the_work_of_earlier_workers(database: Database, tmp_path: Path) -> None:
    from app.services.drive import worked_s

    run_id = queue(database)
    work(database.engine.url.render_as_string(hide_password=False), run_id, 0, tmp_path / "paid")
    with database.session() as session:
        first = worked_s(session, run_id)
        assert 0 < first < 30
        session.add(Event(run_id=run_id, name="status", data={"status": "running", "reason": ""}))
        session.commit()
        assert worked_s(session, run_id) == pytest.approx(first, abs=0.01)


def test_making_a_run_ready_may_take_longer_than_its_lease(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []

    def prepare(spec: Json, rows: Any, tools: Any) -> Any:
        time.sleep(4)  # longer than the lease
        taken.extend(claims.abandoned(database))
        return training.prepare(spec, rows, tools)

    monkeypatch.setitem(KINDS, "train", replace(KINDS["train"], prepare=prepare))
    run_id, llm = queue(database, epochs=1), RuleLLM(rule)
    assert drive(run_id, database=database, open_llm=lambda: llm, owner="test", lease_s=3) == "done"
    assert run_id not in taken


def test_a_run_that_is_lost_at_its_very_end_is_left_to_its_new_worker(database: Database) -> None:
    class Late(RuleLLM):
        async def aclose(self) -> None:
            with database.session() as session:
                session.get_one(Run, run_id).fence += 1
                session.commit()

    run_id = queue(database, system_prompt="")
    llm = Late(lambda _: "order_tracking")
    assert drive(run_id, database=database, open_llm=lambda: llm, owner="test", lease_s=5) == ""
    with database.session() as session:
        assert session.get_one(Run, run_id).status == "running"


def test_a_cancel_is_not_lost_when_the_provider_goes_down_first(database: Database) -> None:
    class Down(RuleLLM):
        async def aclose(self) -> None:
            with database.session() as session:
                runs.request_cancel(session, run_id)
                session.commit()

    run_id = queue(database)
    llm = Down(lambda _: Unauthorized("no key"))
    assert drive(run_id, database=database, open_llm=lambda: llm, owner="test", lease_s=5) == "cancelled"
    with database.session() as session:
        assert session.get_one(Run, run_id).status == "cancelled"
