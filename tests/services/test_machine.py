"""A run buys nothing where its answers could not be kept: it pauses with the reason, and goes on when there is room again."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from app.config import Settings
from app.services import runs
from app.services.drive import drive
from app.services.machine import MB, Machine
from app.store.database import Database
from app.store.models import Run
from tests.fakes.llm import RuleLLM
from tests.services.killed_worker import rule
from tests.services.test_drive import add_dataset, queue


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path}/app.db")
    database.upgrade()
    with database.session() as session:
        add_dataset(session)
    return database


def full(tmp_path: Path) -> Machine:
    """More than any disk has must be free."""
    return Machine((tmp_path,), least_mb=10**9)


def work(database: Database, run_id: str, llm: RuleLLM, machine: Machine) -> str:
    return drive(run_id, database=database, open_llm=lambda: llm, owner="test", lease_s=5, machine=machine)


def test_a_full_disk_pauses_a_run_before_it_buys_anything(database: Database, tmp_path: Path) -> None:
    run_id, llm = queue(database, epochs=1), RuleLLM(rule)
    assert work(database, run_id, llm, full(tmp_path)) == "paused"
    assert llm.sent == 0
    with database.session() as session:
        reason = session.get_one(Run, run_id).reason
        assert f"MB are free at {tmp_path}, less than disk_min_mb (1000000000); free some space" in reason
        runs.request_resume(session, run_id)
        session.commit()
    assert work(database, run_id, llm, Machine((tmp_path,))) == "done"


def test_a_disk_that_fills_up_pauses_a_run_that_is_under_way(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "data"

    def fill() -> None:
        while not llm.sent:
            time.sleep(0.01)
        folder.mkdir(exist_ok=True)
        shutil.rmtree(folder)
        folder.write_text("in the way")

    run_id, llm = queue(database, epochs=50, patience=50, concurrency=1), RuleLLM(rule, latency_s=0.2)
    filling = threading.Thread(target=fill)
    filling.start()
    assert work(database, run_id, llm, Machine((folder,))) == "paused"
    filling.join()
    with database.session() as session:
        assert "cannot be used" in session.get_one(Run, run_id).reason
        totals = runs.totals(session, run_id)
    assert (totals.calls, totals.uncertain_calls) == (len(llm.paid), 0)


def test_the_machine_watches_the_data_folder_and_that_of_an_sqlite_database(tmp_path: Path) -> None:
    elsewhere = Database(f"sqlite:///{tmp_path}/elsewhere/app.db")
    settings = Settings(data_dir=tmp_path / "data")
    machine = Machine.of(settings, elsewhere.engine)
    assert machine.folders == (tmp_path / "data", tmp_path / "elsewhere")
    assert (machine.least_mb, machine.wait_s) == (settings.disk_min_mb, settings.database_wait_s)
    assert Machine.of(settings, Database("postgresql://x@127.0.0.1:1/x").engine).folders == (tmp_path / "data",)


def test_trouble_names_the_folder_and_what_to_do(tmp_path: Path) -> None:
    assert Machine((tmp_path,), least_mb=shutil.disk_usage(tmp_path).free // MB // 2).trouble() == ""
    assert f"free at {tmp_path}" in full(tmp_path).trouble()
    (tmp_path / "file").write_text("")
    assert "cannot be used (Not a directory)" in Machine((tmp_path / "file" / "x",)).trouble()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_writable_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert f"{tmp_path} is not writable" in Machine((tmp_path,)).trouble()
    tmp_path.chmod(0o700)


def test_a_run_that_cannot_be_taken_waits(database: Database) -> None:
    run_id, llm = queue(database), RuleLLM(rule)
    impatient = Database(database.title, busy_s=0.1)
    assert database.file
    with sqlite3.connect(database.file, isolation_level=None) as lock:
        lock.execute("BEGIN IMMEDIATE")
        assert work(impatient, run_id, llm, Machine()) == ""
    lock.close()
    impatient.close()
    with database.session() as session:
        assert session.scalar(select(Run.status)) == "queued"
