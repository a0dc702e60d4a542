"""What people say of answers is kept: rankings with ties, and marks. Nobody's word is lost to somebody who saved meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.stats.agreement import places
from app.core.storable import storable
from app.services.benchmarks.results import ACCEPTABLE, UNACCEPTABLE, Place, Results
from app.services.errors import Conflict, Invalid, NotFound, Problem
from app.store.judged import MarkRow, RankingRow
from app.store.models import Run, SampleRow

LONGEST_NAME = 80
LONGEST_NOTES = 5_000
LONGEST_S = 24 * 3600.0
"""Seconds that one saving may count."""


@dataclass(frozen=True)
class Ballot:
    """One person's ranking as it was sent. places: by config, a lower one is better, equal ones are ties.

    seconds: that the page was visible. revision: of the ranking that this one replaces, 0 for none.
    """

    place: Place
    ranker: str
    places: Mapping[str, int]
    notes: str = ""
    seconds: float = 0.0
    blind: bool = True
    revision: int = 0


def find(session: Session, run_id: str, place: Place, ranker: str) -> RankingRow | None:
    """That person's ranking, as the database has it now."""
    query = select(RankingRow).where(
        RankingRow.run_id == run_id,
        RankingRow.case == place.case,
        RankingRow.repeat == place.repeat,
        RankingRow.ranker == ranker,
    )
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def save(session: Session, results: Results, ballot: Ballot) -> RankingRow:
    """Keep a ranking: the first one, or in place of the revision that it names.

    Raises: NotFound, Invalid; Conflict when somebody saved another one under that name meanwhile.
    """
    ballot_places = _checked(results, ballot)
    run_id, place, ranker = results.run.id, ballot.place, ballot.ranker.strip()
    values = {"places": ballot_places, "notes": storable(ballot.notes.strip())}
    if ballot.revision:
        _replace(session, run_id, ballot, values)
    else:
        row = RankingRow(
            run_id=run_id,
            case=place.case,
            repeat=place.repeat,
            ranker=storable(ranker),
            seconds=ballot.seconds,
            blind=ballot.blind,
            **values,
        )
        session.add(row)
        try:
            session.commit()
        except IntegrityError:
            session.rollback()
            raise _met(session, run_id, ballot) from None
    found = find(session, run_id, place, storable(ranker))
    if found is None:
        raise NotFound("the ranking was deleted meanwhile")
    return found


def _replace(session: Session, run_id: str, ballot: Ballot, values: Mapping[str, object]) -> None:
    change = update(RankingRow).where(
        RankingRow.run_id == run_id,
        RankingRow.case == ballot.place.case,
        RankingRow.repeat == ballot.place.repeat,
        RankingRow.ranker == ballot.ranker.strip(),
        RankingRow.revision == ballot.revision,
    )
    more = {"seconds": RankingRow.seconds + ballot.seconds, "revision": RankingRow.revision + 1}
    changed = session.execute(change.values({**values, **more}).execution_options(synchronize_session=False))
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        session.rollback()
        raise _met(session, run_id, ballot)
    session.commit()


def _met(session: Session, run_id: str, ballot: Ballot) -> Exception:
    """Why a ranking could not be saved: another one is there, or what it belongs to is gone."""
    alive = session.scalar(select(Run.id).where(Run.id == run_id, Run.deleted_at.is_(None)))
    if alive is None:
        return NotFound("the benchmark was deleted meanwhile, so there is nothing left to rank")
    there = find(session, run_id, ballot.place, ballot.ranker.strip())
    if there is None:
        return Conflict("this ranking was deleted meanwhile; save it again to make it anew")
    return Conflict(
        f"{there.ranker} saved another ranking of these answers meanwhile (revision {there.revision}); look at it, then save"
        " yours over it, or rank under another name"
    )


def _checked(results: Results, ballot: Ballot) -> dict[str, int]:
    """The places, tied ones alike and without gaps before them. Raises: NotFound, Invalid with every problem."""
    problems = []
    ranker = ballot.ranker.strip()
    if not ranker:
        problems.append(Problem("ranker", "give your name, so that rankings of several people can be told apart"))
    elif len(ranker) > LONGEST_NAME:
        problems.append(Problem("ranker", f"a name has at most {LONGEST_NAME} characters"))
    if len(ballot.notes) > LONGEST_NOTES:
        problems.append(Problem("notes", f"notes have at most {LONGEST_NOTES:,} characters"))
    if not 0 <= ballot.seconds <= LONGEST_S:
        problems.append(Problem("seconds", f"must be from 0 to {LONGEST_S:.0f}"))
    rivals = results.rivals(ballot.place)
    if not rivals:
        problems.append(Problem("places", "there is no answer to rank here; it may have been removed meanwhile"))
    elif set(rivals) != set(ballot.places):
        problems.append(Problem("places", _differs(set(rivals), set(ballot.places))))
    elif not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in ballot.places.values()):
        problems.append(Problem("places", "every place must be a whole number from 1 on"))
    if problems:
        raise Invalid(problems)
    return places(ballot.places)


def _differs(wanted: set[str], given: set[str]) -> str:
    missing, more = sorted(wanted - given), sorted(given - wanted)
    said = [f"{', '.join(missing)} must be ranked too"] if missing else []
    said += [f"there is no answer of {', '.join(one[:60] for one in more)} to rank here"] if more else []
    return "; ".join(said)


def withdraw(session: Session, run: Run, place: Place, ranker: str) -> None:
    """Take a person's ranking back. Raises: NotFound."""
    row = find(session, run.id, place, ranker)
    if row is None:
        raise NotFound(f"{ranker[:LONGEST_NAME]} has no ranking there")
    session.delete(row)
    session.commit()


def mark(session: Session, run: Run, sample: str, verdict: str, *, by: str = "") -> None:
    """Say that an answer is acceptable or unacceptable; "" takes that back. Raises: Invalid, NotFound."""
    if verdict not in ("", ACCEPTABLE, UNACCEPTABLE):
        raise Invalid([Problem("verdict", f"must be {ACCEPTABLE}, {UNACCEPTABLE} or empty, not {verdict[:40]!r}")])
    if session.scalar(select(SampleRow.id).where(SampleRow.run_id == run.id, SampleRow.key == sample)) is None:
        raise NotFound("there is no such answer (any more)")
    known = (MarkRow.run_id == run.id, MarkRow.sample == sample)
    if not verdict:
        session.execute(delete(MarkRow).where(*known))
    elif not _mark_again(session, known, verdict, by):
        session.add(MarkRow(run_id=run.id, sample=sample, verdict=verdict, marked_by=storable(by[:LONGEST_NAME])))
        try:
            session.flush()
        except IntegrityError:  # somebody marked it in this moment: the newest word counts
            session.rollback()
            _mark_again(session, known, verdict, by)
    session.commit()


def _mark_again(session: Session, known: tuple[object, ...], verdict: str, by: str) -> bool:
    change = update(MarkRow).where(*known).values(verdict=verdict, marked_by=storable(by[:LONGEST_NAME]))  # type: ignore[arg-type]
    return bool(session.execute(change.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]
