"""The label doctor: what runs and the dataset itself say against its answers, and which of that is still open."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, distinct, func, or_, select
from sqlalchemy.orm import Session

from app.core.datasets.doctor import (
    SIGNS,
    Conflict,
    Failing,
    Finding,
    Flips,
    Given,
    conflicts,
    failing,
    place,
    ranked,
    strong,
)
from app.core.datasets.statistics import SHOWN
from app.core.pictures import with_marks
from app.core.stats import RIGHT
from app.core.stats.interval import COUNTED
from app.ports.llm import Json
from app.services.datasets import has_images, pictures_of
from app.services.errors import Invalid, Problem
from app.services.labels.rulings import rulings_of
from app.services.remembered import Remembered
from app.services.runs.examples import images_of
from app.services.runs.tables import version_numbers
from app.store.models import Dataset, Example, Ruling, Run, SampleRow

RUNS = 50
"""Trainings that are asked, the newest ones."""
MOST = 5_000
"""Findings of each sign that are listed."""
ALONE = 2
"""Fewer strong candidates than this on a row say nothing: one may simply be wrong."""
CHUNK = 400
PARTS = ("train", "validation", "test")
"""The index of samples by case begins with run and split: naming all splits lets the database go straight to the cases."""
STATES = ("open", "ruled")

_Rows = tuple[tuple[int, str, str], ...]


@dataclass(frozen=True)
class Diagnosis:
    """findings: all, in order. runs: ids of the trainings that were asked. candidates: strong ones among them, in all."""

    findings: tuple[Finding, ...]
    runs: tuple[str, ...]
    candidates: int


@dataclass(frozen=True)
class Case:
    """A finding with its example, and what a person has ruled about it."""

    finding: Finding
    input: str
    reference: str
    ruling: Ruling | None
    image: Json = None
    """What the dataset keeps of its image."""

    @property
    def cursor(self) -> str:
        """Where the next page goes on."""
        return f"{self.finding.suspicion:.6f}-{self.finding.row}"


_known: Remembered[Diagnosis] = Remembered()


def diagnosis(session: Session, dataset: Dataset) -> Diagnosis:
    """Everything that speaks against answers of the dataset. Of large data it takes seconds, and is then remembered."""
    query = select(Run).where(Run.dataset_id == dataset.id, Run.kind == "train", Run.deleted_at.is_(None))
    runs = list(session.scalars(query.order_by(Run.created_at.desc(), Run.id).limit(RUNS)))
    key = (dataset.id, *((run.id, run.status, run.fence) for run in runs))
    return _known.get(session, key, lambda: _diagnosed(session, dataset, runs), final=all(r.ended_at for r in runs))


def cases(
    session: Session, dataset: Dataset, *, sign: str = "", state: str = "", after: str = "", limit: int = 25
) -> list[Case]:
    """A page of findings with their examples, the most suspicious first.

    sign: failing, conflict or flips, "" for all. state: open or ruled, "" for both. after: cursor of the last case of the page
    before. Raises: Invalid.
    """
    for field, value, known in (("sign", sign, SIGNS), ("state", state, STATES)):
        if value and value not in known:
            raise Invalid([Problem(field, f"must be one of {', '.join(known)}")])
    ruled = rulings_of(session, dataset)
    findings = diagnosis(session, dataset).findings
    begin = bisect_right(findings, _read_cursor(after), key=place) if after else 0
    chosen: list[Finding] = []
    for finding in findings[begin:]:
        fits = not sign or sign in finding.signs
        if fits and (not state or (finding.row in ruled) == (state == "ruled")):
            chosen.append(finding)
            if len(chosen) == limit:
                break
    texts = _texts(session, dataset, [finding.row for finding in chosen])
    images = images_of(session, dataset.id, [str(f.row) for f in chosen]) if has_images(dataset) else {}
    return [Case(f, *texts[f.row], ruled.get(f.row), images.get(str(f.row))) for f in chosen if f.row in texts]


def _read_cursor(cursor: str) -> tuple[float, int]:
    suspicion, _, row = cursor.partition("-")
    try:
        if len(row) > 18 or not row.isascii():
            raise ValueError
        return -float(suspicion), int(row)
    except ValueError:
        raise Invalid([Problem("after", "is no place in this list")]) from None


def _texts(session: Session, dataset: Dataset, rows: Sequence[int]) -> dict[int, tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    for start in range(0, len(rows), CHUNK):
        query = select(Example.row, Example.input, Example.reference).where(Example.dataset_id == dataset.id)
        for row, text, answer in session.execute(query.where(Example.row.in_(rows[start : start + CHUNK]))):
            found[row] = (text, answer)
    return found


def _diagnosed(session: Session, dataset: Dataset, runs: Sequence[Run]) -> Diagnosis:
    strong_of = {run.id: found for run in runs if (found := _strong(session, run))}
    failed = _failing(session, dataset, strong_of)
    contrary = dict(_conflicts(session, dataset))
    flips = _flips(session, [run.id for run in runs if run.spec.get("repeats", 1) > 1])
    rows = {*failed, *contrary, *flips}
    splits = _splits(session, [run.id for run in runs], rows)
    all_ = (Finding(row, failed.get(row), contrary.get(row), flips.get(row), splits[row]) for row in rows)
    return Diagnosis(tuple(ranked(all_)), tuple(strong_of), len({c for each in strong_of.values() for c in each}))


def _strong(session: Session, run: Run) -> list[str]:
    """The strong ones of the run's versions. One with a sentence left out to measure that is no further witness."""
    query = select(SampleRow.candidate, func.count(), func.avg(SampleRow.score)).where(
        SampleRow.run_id == run.id, SampleRow.split == "validation", SampleRow.outcome.in_(COUNTED)
    )
    versions = version_numbers(session, run)
    found = session.execute(query.group_by(SampleRow.candidate))
    return sorted(strong({candidate: (n, mean) for candidate, n, mean in found if candidate in versions}))


def _by(strong_of: dict[str, list[str]]) -> ColumnElement[bool]:
    """Scored answers of strong candidates."""
    each = (and_(SampleRow.run_id == run, SampleRow.candidate.in_(found)) for run, found in strong_of.items())
    return and_(or_(*each), SampleRow.outcome.in_(COUNTED))


def _failing(session: Session, dataset: Dataset, strong_of: dict[str, list[str]]) -> dict[int, Failing]:
    """The rows that every strong candidate fails, those with the most candidates first when there are very many."""
    if not strong_of:
        return {}
    asked = func.count(distinct(SampleRow.candidate))
    query = select(SampleRow.case).where(_by(strong_of)).group_by(SampleRow.case)
    query = query.having(func.max(SampleRow.score) < RIGHT, asked >= ALONE).order_by(asked.desc(), SampleRow.case)
    rows = [int(name) for name in session.scalars(query.limit(MOST)) if name.isdecimal()]
    texts = _texts(session, dataset, rows)
    given: defaultdict[int, list[Given]] = defaultdict(list)
    for start in range(0, len(rows), CHUNK):
        part = [str(row) for row in rows[start : start + CHUNK]]
        answers = select(SampleRow.case, SampleRow.candidate, SampleRow.run_id, SampleRow.response)
        answers = answers.where(_by(strong_of), SampleRow.split.in_(PARTS), SampleRow.case.in_(part))
        # The first answer of several by one candidate in a run, and of several runs that of the newest sample.
        for name, *one in session.execute(answers.order_by(SampleRow.repeat.desc(), SampleRow.id)):
            given[int(name)].append(Given(*one))
    return {row: failing(texts[row][1], given[row]) for row in rows if row in texts}


def _conflicts(session: Session, dataset: Dataset) -> Iterator[tuple[int, Conflict]]:
    """As the import has found them; looked for again where there are more than it lists."""
    pictures = pictures_of(session, dataset.id)
    listed, total = dataset.statistics.get("conflicts", []), dataset.statistics.get("conflicts_total", 0)
    if total <= SHOWN:
        rows = [row for one in listed for row in one["rows"]]
        triples = ((row, *text) for row, text in _texts(session, dataset, rows).items())
        yield from conflicts(with_marks(triples, pictures))
        return
    query = select(Example.row, Example.input, Example.reference).where(Example.dataset_id == dataset.id)
    found_rows = session.execute(query.order_by(Example.row).execution_options(yield_per=CHUNK))
    triples = ((row, text, answer) for row, text, answer in found_rows)
    for number, found in enumerate(conflicts(with_marks(triples, pictures))):
        if number == MOST:
            return
        yield found


def _flips(session: Session, runs: Sequence[str]) -> dict[int, Flips]:
    if not runs:
        return {}
    low, high = func.min(SampleRow.score), func.max(SampleRow.score)
    inner = select(SampleRow.case, case((and_(low < RIGHT, high >= RIGHT), 1), else_=0).label("flipped"))
    inner = inner.where(SampleRow.run_id.in_(runs), SampleRow.outcome.in_(COUNTED))
    each = inner.group_by(SampleRow.run_id, SampleRow.case, SampleRow.candidate).having(func.count() > 1).subquery()
    flipped = func.sum(each.c.flipped)
    query = select(each.c.case, flipped, func.count()).group_by(each.c.case).having(flipped > 0)
    found = session.execute(query.order_by(flipped.desc(), each.c.case).limit(MOST))
    return {int(name): Flips(int(times), asked) for name, times, asked in found if name.isdecimal()}


def _splits(session: Session, runs: Sequence[str], rows: Collection[int]) -> dict[int, frozenset[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    names = [str(row) for row in rows]
    for start in range(0, len(names) if runs else 0, CHUNK):
        part = names[start : start + CHUNK]
        query = select(SampleRow.case, SampleRow.split).where(SampleRow.run_id.in_(runs), SampleRow.split.in_(PARTS))
        for name, split in session.execute(query.where(SampleRow.case.in_(part)).distinct()):
            found[int(name)].add(split)
    return {row: frozenset(found[row]) for row in rows}
