"""Each example with the answers of several versions side by side; a page begins after the last example of the page before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, and_, case, func, or_, select, tuple_
from sqlalchemy.orm import Session

from app.core.stats import RIGHT, Cell, cell
from app.core.stats.interval import COUNTED
from app.services.comparison.scores import same_data
from app.services.comparison.sides import Side
from app.services.runs.examples import Asked, texts_of
from app.store.models import SampleRow

CHANGES = ("fixed", "broken", "both_wrong", "both_right", "unscored")


@dataclass(frozen=True, slots=True)
class Answer:
    """One version's answer, None when it was not asked; change: from the first version's."""

    sample: SampleRow | None
    change: Cell


@dataclass(frozen=True, slots=True)
class Row:
    """An example. answers: in the order of the sides. cursor: where the next page goes on, a sample's id."""

    cursor: int
    case: str
    repeat: int
    input: str
    reference: str
    answers: tuple[Answer, ...]


_Scores: TypeAlias = Sequence[ColumnElement[float]]


def examples(
    session: Session, sides: Sequence[Side], split: str, *, change: str = "", after: int = 0, limit: int = 50
) -> list[Row]:
    """The examples that any of the sides was asked, of which those on other data than the first have none.

    split: as in scores.SPLITS. change: fixed or broken (against the first, by at least one of the others), both_wrong or
    both_right (by all of them), unscored (by any); "" for all. after: cursor of the last row of the page before.
    """
    shown = [side for side in sides if same_data(sides[0].run, side.run)]
    place = (SampleRow.case, SampleRow.repeat)
    scores = [func.max(case((and_(_of(side), SampleRow.outcome.in_(COUNTED)), SampleRow.score))) for side in shown]
    ids = [func.max(case((_of(side), SampleRow.id))) for side in shown]
    query = select(func.max(SampleRow.id), *place, *ids).where(or_(*(_of(side) for side in shown)))
    if split != "all":
        query = query.where(SampleRow.split == split)
    if after:
        mine = SampleRow.run_id.in_({side.run.id for side in shown})
        last = session.execute(select(*place).where(SampleRow.id == after, mine)).one_or_none()
        if last is None:
            return []
        query = query.where(tuple_(*place) > tuple(last))
    if change:
        query = query.having(_falls_into(change, scores))
    found = session.execute(query.group_by(*place).order_by(*place).limit(limit)).all()
    return _rows(session, sides, shown, found)


def _of(side: Side) -> ColumnElement[bool]:
    return and_(SampleRow.run_id == side.run.id, SampleRow.candidate == side.version.digest)


def _falls_into(change: str, scores: _Scores) -> ColumnElement[bool]:
    """The table of app.core.stats.cell in SQL, between the first and each of the others."""
    first, others = scores[0], scores[1:] or scores
    if change == "unscored":
        return or_(*(score.is_(None) for score in scores))
    if change == "fixed":
        return and_(first < RIGHT, or_(*(other >= RIGHT for other in others)))
    if change == "broken":
        return and_(first >= RIGHT, or_(*(other < RIGHT for other in others)))
    right = change == "both_right"
    return and_(*(score >= RIGHT if right else score < RIGHT for score in scores))


def _rows(session: Session, sides: Sequence[Side], shown: Sequence[Side], found: Sequence[Any]) -> list[Row]:
    wanted = [each for row in found for each in row[3:] if each]
    samples = {row.id: row for row in session.scalars(select(SampleRow).where(SampleRow.id.in_(wanted)))}
    texts = texts_of(session, Asked.of(sides[0].run), {row[1] for row in found})
    return [_row(row, sides, shown, samples, texts) for row in found]


def _row(
    row: Any,
    sides: Sequence[Side],
    shown: Sequence[Side],
    samples: Mapping[int, SampleRow],
    texts: Mapping[str, tuple[str, str]],
) -> Row:
    cursor, name, repeat, *ids = row
    mine = {side.address: samples.get(id_) for side, id_ in zip(shown, ids, strict=True)}
    first = _score(mine.get(sides[0].address))
    given, reference = texts.get(name, ("", ""))
    answers = tuple(Answer(mine.get(side.address), cell(first, _score(mine.get(side.address)))) for side in sides)
    return Row(cursor, name, repeat, given, reference, answers)


def _score(sample: SampleRow | None) -> float | None:
    return sample.score if sample and sample.outcome in COUNTED else None
