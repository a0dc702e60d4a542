"""What a finished training has on record, as re-judging reads it. Its calls may be pruned: its samples hold the answers."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.kinds.recorded import Record
from app.ports.journal import Sample
from app.ports.llm import Json
from app.services.runs.record import notes
from app.services.training.draft import examples_of
from app.store.models import Run, SampleRow

_NAMES = tuple(name for name in Sample.__dataclass_fields__)


def record_of(session: Session, source: Json) -> Record:
    """The record of the training that a spec names. Raises: ValueError, in words, when it is gone."""
    run = session.get(Run, source["run"])
    if run is None or run.deleted_at:
        raise ValueError(
            f"the training {source['run']} is deleted, and with it the answers that were to be judged again"
        )
    proposals: defaultdict[int, list[Json]] = defaultdict(list)
    parents: dict[int, int] = {}
    for note in notes(session, run.id):
        if note.name == "proposal" and note.data["fate"] != "shortened":  # that one was made after the search
            proposals[note.data["epoch"]].append(note.data)
        elif note.name == "epoch":
            parents[note.data["epoch"]] = note.data["parent"]
    ordered = {epoch: sorted(each, key=lambda one: int(one["number"])) for epoch, each in proposals.items()}
    return Record(examples_of(session, source["dataset"]["id"]), _samples(session, run.id), ordered, parents)


def _samples(session: Session, run_id: str) -> dict[tuple[str, str, int], Sample]:
    columns: list[Any] = [getattr(SampleRow, name) for name in _NAMES]
    query = select(*columns).where(SampleRow.run_id == run_id).execution_options(yield_per=1000)
    found = (Sample(*row) for row in session.execute(query))
    return {(one.candidate, one.case, one.repeat): one for one in found}
