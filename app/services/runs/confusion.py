"""Confusion matrices of a run whose answers are few labels, and the examples behind each of their cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, select, tuple_
from sqlalchemy.orm import Session

from app.core.stats.confusion import Confusion, Labels, confusion
from app.core.stats.interval import COUNTED
from app.services.remembered import Remembered
from app.store.models import Dataset, Example, Run, SampleRow

MOST = 20
"""Labels up to which a matrix can be read."""
PROPOSING = ("train", "rejudge")

Place = tuple[str, int]
"""An answer within a split: case and repeat."""
_known: Remembered[dict[str, Confusion]] = Remembered()


def labels_of(session: Session, run: Run) -> Labels | None:
    """The labels of the run's dataset, the commonest first; None when its answers are not few labels."""
    dataset = session.get(Dataset, run.dataset_id) if run.dataset_id else None
    facts = dataset.statistics if dataset else {}
    if run.kind not in PROPOSING or not facts.get("few_labels") or not 2 <= facts["labels_distinct"] <= MOST:
        return None
    return Labels([one["label"] for one in facts["labels"]])


def confusions(session: Session, run: Run, digests: Collection[str], split: str) -> dict[str, Confusion]:
    """The matrix of each candidate that was asked on the split, by digest; {} when the answers are not few labels."""
    labels = labels_of(session, run)
    if labels is None:
        return {}
    key = (run.id, run.status, run.fence, split, *sorted(digests))
    return _known.get(
        session, key, lambda: _confusions(session, run, labels, digests, split), final=run.ended_at is not None
    )


def _confusions(
    session: Session, run: Run, labels: Labels, digests: Collection[str], split: str
) -> dict[str, Confusion]:
    parts = (SampleRow.candidate, SampleRow.outcome, Example.reference, SampleRow.response)
    query = _answers(run, split, *parts, func.count()).where(SampleRow.candidate.in_(digests)).group_by(*parts)
    rows: dict[str, list[tuple[str, str, int]]] = {}
    failed: Counter[str] = Counter()
    for digest, outcome, expected, answered, times in session.execute(query):
        answers = rows.setdefault(digest, [])
        if outcome in COUNTED:
            answers.append((expected, answered, times))
        else:
            failed[digest] += times
    return {digest: confusion(labels, answers, failed[digest]) for digest, answers in rows.items()}


def in_cell(
    session: Session,
    run: Run,
    digest: str,
    split: str,
    cell: tuple[str, str | None],
    *,
    after: int = 0,
    limit: int = 50,
) -> list[Place]:
    """Where a candidate answered cell[1] (None: none of the labels) while cell[0] was expected, in the order of before_after().

    after: a sample; only places beyond its own are given.
    """
    labels = labels_of(session, run)
    if labels is None:
        return []
    wanted = labels.find(cell[0]), None if cell[1] is None else labels.find(cell[1])
    place = (SampleRow.case, SampleRow.repeat)
    query = _answers(run, split, *place, Example.reference, SampleRow.response).order_by(*place)
    query = query.where(SampleRow.candidate == digest, SampleRow.outcome.in_(COUNTED))
    if after:
        last = session.execute(select(*place).where(SampleRow.id == after, SampleRow.run_id == run.id)).one_or_none()
        if last is None:
            return []
        query = query.where(tuple_(*place) > tuple(last))
    found: list[Place] = []
    for case_id, repeat, expected, answered in session.execute(query):
        if (labels.find(expected), labels.find(answered)) == wanted:
            found.append((case_id, repeat))
        if len(found) == limit:
            break
    return found


def _answers(run: Run, split: str, *columns: ColumnElement[Any] | Any) -> Select[Any]:
    """The run's answers on a split beside what was expected; a case's id is the number of its row in the run's dataset."""
    joined = and_(SampleRow.run_id == run.id, SampleRow.split == split, SampleRow.case == cast(Example.row, String))
    return select(*columns).join_from(Example, SampleRow, joined).where(Example.dataset_id == run.dataset_id)
