"""What decides whether a fault did harm: the end state is that of the fault-free run, and the bill contains the truth."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import select

from app.services import runs
from app.store.database import Database
from app.store.models import Run, SampleRow
from app.store.statements import read_totals


def end_state(database: Database, run_id: str) -> str:
    """Outcome, history and every sample of a run that is done, as text to compare.

    What depends on the clock or on the row's number is left out.
    """
    with database.session() as session:
        run = session.get_one(Run, run_id)
        assert run.status == "done", (run.status, run.reason)
        history = [[e.note, e.name, e.data] for e in runs.notes(session, run_id)]
        rows = session.scalars(select(SampleRow).where(SampleRow.run_id == run_id).order_by(SampleRow.key))
        samples = [[s.key, s.candidate, s.case, s.repeat, s.outcome, s.score, s.response, s.tokens] for s in rows]
        return json.dumps([run.outcome, history, samples], sort_keys=True, indent=1)


def verdict(database: Database, run_id: str) -> str:
    """The verdict of a run that is done."""
    with database.session() as session:
        run = session.get_one(Run, run_id)
        assert run.status == "done", (run.status, run.reason)
        return str(run.outcome["verdict"])


def bill(database: Database, run_ids: Sequence[str]) -> tuple[int, int]:
    """Calls that these runs say they were answered, and the same with every sending of unknown fate."""
    with database.engine.connect() as connection:
        totals = [read_totals(connection, run_id) for run_id in run_ids]
    confirmed = sum(one.calls for one in totals)
    return confirmed, confirmed + sum(one.uncertain_calls for one in totals)


def assert_bill(database: Database, run_ids: Sequence[str], paid: int) -> None:
    """The provider's count lies in the interval that is reported."""
    confirmed, at_most = bill(database, run_ids)
    assert confirmed <= paid <= at_most, f"confirmed {confirmed}, paid {paid}, at most {at_most}"
