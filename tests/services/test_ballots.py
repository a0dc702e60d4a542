"""Rankings and marks of people: ties, several people, two tabs, what is gone meanwhile; and what follows from them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from app.services import runs
from app.services.benchmarks import ballots, judgement
from app.services.benchmarks.ballots import Ballot
from app.services.benchmarks.results import Place, Results, results
from app.services.errors import Conflict, Invalid, NotFound
from tests.services.benchmark_world import MODELS, finished

P1 = Place("p1", 0)
PRIMARY, WRITER, OPTIMIZER = MODELS


@pytest.fixture
def found(session: Session) -> Results:
    return finished(session)


def ballot(ranker: str = "ada", place: Place = P1, **places: int) -> Ballot:
    return Ballot(place, ranker, places or {PRIMARY: 1, WRITER: 2, OPTIMIZER: 3})


def fresh(session: Session, found: Results) -> Results:
    return results(session, runs.get(session, found.run.id))


def test_a_ranking_is_kept_with_ties_notes_time_and_its_person(session: Session, found: Results) -> None:
    given = replace(ballot(), places={PRIMARY: 5, WRITER: 2, OPTIMIZER: 2}, notes=" clear ", seconds=12.5)
    row = ballots.save(session, found, given)
    assert row.places == {PRIMARY: 3, WRITER: 1, OPTIMIZER: 1}
    assert (row.ranker, row.notes, row.seconds, row.blind, row.revision) == ("ada", "clear", 12.5, True, 1)


def test_people_rank_apart_and_agreement_is_told(session: Session, found: Results) -> None:
    for who, order in (("ada", (1, 2, 3)), ("ben", (1, 3, 2))):
        places = dict(zip(MODELS, order, strict=True))
        ballots.save(session, found, replace(ballot(who), places=places))
    told = judgement.standing(fresh(session, found))
    assert (told.rankers, told.rankings, told.people.pairs) == (("ada", "ben"), 2, 1)
    assert told.people.mean_tau == pytest.approx(1 / 3)
    assert told.people.variability == "high"
    assert list(told.consensus) == [PRIMARY, OPTIMIZER, WRITER]
    assert told.n == 2
    assert told.disputes


def test_a_second_saving_needs_the_revision_that_it_replaces(session: Session, found: Results) -> None:
    first = ballots.save(session, found, ballot())
    with pytest.raises(Conflict, match="saved another ranking"):
        ballots.save(session, found, ballot())
    second = ballots.save(session, found, replace(ballot(), revision=first.revision, seconds=3.0))
    assert (second.revision, second.seconds) == (2, 3.0)
    with pytest.raises(Conflict, match="revision 2"):
        ballots.save(session, found, replace(ballot(), revision=1, notes="the other tab"))
    kept = ballots.find(session, found.run.id, P1, "ada")
    assert kept
    assert kept.notes == ""


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ranker": " "}, "ranker"),
        ({"ranker": "x" * 81}, "ranker"),
        ({"places": {PRIMARY: 1}}, "places"),
        ({"places": {PRIMARY: 1, WRITER: 2, OPTIMIZER: 3, "nobody": 4}}, "places"),
        ({"places": {PRIMARY: 0, WRITER: 2, OPTIMIZER: 3}}, "places"),
        ({"places": {PRIMARY: True, WRITER: 2, OPTIMIZER: 3}}, "places"),
        ({"seconds": float("nan")}, "seconds"),
        ({"notes": "x" * 5001}, "notes"),
        ({"place": Place("p1", 99)}, "places"),
    ],
)
def test_what_is_no_ranking_is_refused(
    session: Session, found: Results, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        ballots.save(session, found, replace(ballot(), **changes))  # type: ignore[arg-type]
    assert [problem.field for problem in caught.value.problems] == [field]


def test_a_ranking_of_what_was_deleted_meanwhile_is_refused_in_words(session: Session, found: Results) -> None:
    with pytest.raises(NotFound, match="no prompt"):
        ballots.save(session, found, ballot(place=Place("p99", 0)))
    with Session(session.get_bind()) as somebody_else:
        runs.delete(somebody_else, found.run.id)
    with pytest.raises(NotFound, match="deleted meanwhile"):
        ballots.save(session, found, ballot())


def test_a_deleted_benchmark_takes_its_rankings_along(session: Session, found: Results) -> None:
    ballots.save(session, found, ballot())
    ballots.mark(session, found.run, found.answers[0].key, "acceptable")
    runs.delete(session, found.run.id)
    from app.store.judged import MarkRow, RankingRow

    assert session.query(RankingRow).count() == session.query(MarkRow).count() == 0


def test_an_unacceptable_answer_leaves_every_mean(session: Session, found: Results) -> None:
    answer = next(one for one in found.answers if one.config == PRIMARY)
    ballots.mark(session, found.run, answer.key, "unacceptable", by="ada")
    ballots.mark(session, found.run, answer.key, "unacceptable", by="ben")
    row = next(row for row in judgement.table(fresh(session, found)) if row.config == PRIMARY)
    assert (row.unacceptable, row.reviews, row.answered) == (1, 5, 6)
    ballots.mark(session, found.run, answer.key, "")
    assert judgement.table(fresh(session, found))[0].unacceptable == 0
    with pytest.raises(Invalid):
        ballots.mark(session, found.run, answer.key, "so-so")
    with pytest.raises(NotFound):
        ballots.mark(session, found.run, "nothing", "acceptable")


def test_people_weigh_more_than_the_reviewer_and_correct_it(session: Session, found: Results) -> None:
    for case in ("p1", "p2"):
        places = {OPTIMIZER: 1, WRITER: 2, PRIMARY: 3}
        ballots.save(session, found, Ballot(Place(case, 0), "ada", places))
    now = fresh(session, found)
    weights = judgement.Weights.of(1, 0, 0)
    told = judgement.recommended(now, weights)
    assert told.winner
    assert told.winner.config == OPTIMIZER
    assert told.winner.quality == pytest.approx(0.7 * 1 + 0.3 * (told.winner.ai or 0))
    fixed = {row.config: row.fixed for row in judgement.table(now)}
    assert (fixed[OPTIMIZER].humans, fixed[OPTIMIZER].prompts) == (2, 3)
    assert fixed[OPTIMIZER].mean is not None
    worth = judgement.worth_a_minute(now, told)
    assert worth
    assert worth.place.case == "p3"
    assert worth.why


def test_when_all_is_ranked_nothing_is_worth_a_minute(session: Session, found: Results) -> None:
    for place in found.by_place:
        ballots.save(session, found, ballot(place=place))
    now = fresh(session, found)
    assert judgement.worth_a_minute(now, judgement.recommended(now, judgement.Weights())) is None
    ballots.withdraw(session, found.run, P1, "ada")
    with pytest.raises(NotFound):
        ballots.withdraw(session, found.run, P1, "ada")
