"""Each example with the answers of two versions side by side, and what changed from one to the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, tuple_
from sqlalchemy.orm import Session

from app.core.stats import RIGHT, Cell, cell
from app.core.stats.interval import COUNTED
from app.ports.llm import Json
from app.store.models import Example, Run, SampleRow

_PLACE = (SampleRow.case, SampleRow.repeat)


@dataclass(frozen=True, slots=True)
class Pair:
    """One example and both answers to it; None where a version was not asked. cursor: where the next page goes on, a sample."""

    cursor: int
    case: str
    repeat: int
    input: str
    reference: str
    before: SampleRow | None
    after: SampleRow | None
    change: Cell
    image: Json = None
    """What the dataset keeps of the example's image."""


def before_after(
    session: Session,
    run: Run,
    old: str,
    new: str,
    *,
    split: str,
    change: str | None = None,
    after: int = 0,
    limit: int = 50,
) -> list[Pair]:
    """The answers of two candidates, given by their digests, to the examples of a split, by case and repeat.

    change: only fixed, broken, both_right, both_wrong or unscored. after: cursor of the last pair of the page before.
    """
    query = _pairs(run, (old, new), split, change).limit(limit)
    if after:
        last = session.execute(select(*_PLACE).where(SampleRow.id == after, SampleRow.run_id == run.id)).one_or_none()
        if last is None:
            return []
        query = query.where(tuple_(*_PLACE) > tuple(last))
    return _read(session, run, query)


def at_places(
    session: Session,
    run: Run,
    candidates: tuple[str, str],
    *,
    split: str,
    change: str | None,
    places: Collection[tuple[str, int]],
    limit: int,
) -> list[Pair]:
    """As before_after(), of these cases and repeats alone."""
    query = _pairs(run, candidates, split, change).where(tuple_(*_PLACE).in_(places))
    return _read(session, run, query.limit(limit))


def _pairs(run: Run, candidates: tuple[str, str], split: str, change: str | None) -> Select[Any]:
    """Both answers as ids, in the order of the index, which holds everything that is asked: a page reads what it shows."""
    ids = [func.max(case((SampleRow.candidate == digest, SampleRow.id))) for digest in candidates]
    scores = [func.max(case((_counts(digest), SampleRow.score))) for digest in candidates]
    columns: list[Any] = [func.max(SampleRow.id), *_PLACE, *ids]
    query: Select[Any] = (
        select(*columns)
        .where(SampleRow.run_id == run.id, SampleRow.split == split, SampleRow.candidate.in_(candidates))
        .group_by(*_PLACE)
        .order_by(*_PLACE)
    )
    return query.having(_falls_into(change, *scores)) if change else query


def _read(session: Session, run: Run, query: Select[Any]) -> list[Pair]:
    found = [_Place(*row) for row in session.execute(query)]
    samples = _samples(session, [each for pair in found for each in (pair.old, pair.new) if each])
    texts = texts_of(session, Asked.of(run), {pair.case for pair in found})
    images = images_of(session, run.dataset_id, {pair.case for pair in found})
    return [replace(_pair(pair, samples, texts), image=images.get(pair.case)) for pair in found]


def asked_twice(session: Session, run: Run, *, after: int = 0, limit: int = 50) -> list[Pair]:
    """The first and the second answer to each example of a run with one candidate, in the order of the first answers.

    after: cursor of the last pair of the page before.
    """
    mine = select(SampleRow).where(SampleRow.run_id == run.id)
    query = mine.where(SampleRow.id > after, SampleRow.repeat == 0).order_by(SampleRow.id).limit(limit)
    firsts = list(session.scalars(query))
    again = mine.where(SampleRow.repeat == 1, SampleRow.case.in_([first.case for first in firsts]))
    seconds = {sample.case: sample for sample in session.scalars(again)}
    cases = {first.case for first in firsts}
    texts, images = texts_of(session, Asked.of(run), cases), images_of(session, run.dataset_id, cases)
    return [
        Pair(
            first.id,
            first.case,
            0,
            *texts.get(first.case, ("", "")),
            first,
            second,
            cell(_score(first), _score(second)),
            images.get(first.case),
        )
        for first in firsts
        for second in [seconds.get(first.case)]
    ]


class _Place(NamedTuple):
    """A pair as ids."""

    cursor: int
    case: str
    repeat: int
    old: int | None
    new: int | None


def _counts(digest: str) -> ColumnElement[bool]:
    return and_(SampleRow.candidate == digest, SampleRow.outcome.in_(COUNTED))


def _falls_into(change: str, before: ColumnElement[float], after: ColumnElement[float]) -> ColumnElement[bool]:
    """The same table as app.core.stats.cell, in SQL, so that a filtered page costs no more than another one."""
    if change == "unscored":
        return or_(before.is_(None), after.is_(None))
    was_right, is_right = {
        "fixed": (False, True),
        "broken": (True, False),
        "both_right": (True, True),
        "both_wrong": (False, False),
    }[change]
    return and_(
        before >= RIGHT if was_right else before < RIGHT,
        after >= RIGHT if is_right else after < RIGHT,
    )


def _samples(session: Session, ids: Sequence[int]) -> dict[int | None, SampleRow]:
    return {row.id: row for row in session.scalars(select(SampleRow).where(SampleRow.id.in_(ids)))}


@dataclass(frozen=True, slots=True)
class Asked:
    """Where the texts of a run's cases are: in its dataset, or pinned in its spec."""

    dataset_id: int | None
    pinned: Mapping[str, tuple[str, str]]

    @classmethod
    def of(cls, run: Run) -> Asked:
        """That of a run."""
        cases = run.spec.get("cases", ())
        own = {one["id"]: ("\n\n".join(m["content"] for m in one["messages"]), one["reference"]) for one in cases}
        return cls(run.dataset_id, own)


def texts_of(session: Session, asked: Asked, cases: Collection[str]) -> dict[str, tuple[str, str]]:
    """(input, reference) by case; a case's id is the number of its row in the run's dataset, or that of a pinned case."""
    if asked.pinned:
        return {case: asked.pinned[case.partition("#")[0]] for case in cases if case.partition("#")[0] in asked.pinned}
    dataset_id = asked.dataset_id
    rows = [int(each) for each in cases if each.isdecimal()]
    query = select(Example.row, Example.input, Example.reference)
    found = session.execute(query.where(Example.dataset_id == dataset_id, Example.row.in_(rows)))
    return {str(row): (given, reference) for row, given, reference in found}


def images_of(session: Session, dataset_id: int | None, cases: Collection[str]) -> dict[str, Json]:
    """What a dataset keeps of its images, by case; a case's id is the number of its row."""
    rows = [int(each) for each in cases if each.isdecimal()]
    query = select(Example.row, Example.image).where(Example.dataset_id == dataset_id, Example.row.in_(rows))
    return {str(row): stored for row, stored in session.execute(query.where(Example.image.is_not(None)))}


def _pair(place: _Place, samples: Mapping[int | None, SampleRow], texts: Mapping[str, tuple[str, str]]) -> Pair:
    old, new = samples.get(place.old), samples.get(place.new)
    given, reference = texts.get(place.case, ("", ""))
    return Pair(place.cursor, place.case, place.repeat, given, reference, old, new, cell(_score(old), _score(new)))


def _score(sample: SampleRow | None) -> float | None:
    return sample.score if sample and sample.outcome in COUNTED else None
