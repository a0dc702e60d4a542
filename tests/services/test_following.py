"""Following a run's events, comparing versions, and knowing how far somebody has come."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.services import comparison, feed, runs
from app.services.comparison import Side
from app.services.standing import Standing, standing
from app.store.models import Event, Run
from tests.web import seed


@pytest.fixture
def seeded(session: Session) -> seed.Seeded:
    """The runs that the pages are tested with."""
    return seed.fill(session)


def test_an_empty_run_has_no_newest_event(session: Session, seeded: seed.Seeded) -> None:
    assert feed.newest(session, "r4queued") == 0
    assert feed.tail(session, "r4queued", 10**9) == []


def test_the_tail_and_what_came_after_it_are_everything_once(session: Session, seeded: seed.Seeded) -> None:
    every = [event.id for event in runs.events(session, "r0finished")]
    middle = every[len(every) // 2]
    tail = [event.id for event in feed.tail(session, "r0finished", middle)]
    rest = [event.id for event in feed.since(session, "r0finished", middle)]
    assert tail + rest == every
    assert feed.newest(session, "r0finished") == every[-1]


def test_the_tail_is_the_end_and_keeps_to_the_names(session: Session, seeded: seed.Seeded) -> None:
    found: list[Event] = feed.tail(session, "r0finished", 10**9, names=("proposal",), limit=2)
    assert [event.data["number"] for event in found] == [5, 6]
    assert {event.name for event in feed.since(session, "r0finished", 0, names=("epoch_end",))} == {"epoch_end"}


def test_news_of_all_runs_are_found_by_one_look(session: Session, seeded: seed.Seeded) -> None:
    newest = feed.newest_of_all(session)
    assert feed.of_all(session, newest) == []
    session.add_all(Event(run_id=run_id, name="log", data={}) for run_id in ("r1running", "r4queued"))
    session.commit()
    assert feed.of_all(session, newest) == [(newest + 1, "r1running", "log"), (newest + 2, "r4queued", "log")]


def sides(run: Run) -> tuple[Side, Side]:
    """The run's initial and final version."""
    return Side(run, run.outcome["initial"]["digest"]), Side(run, run.outcome["final"]["digest"])


def test_two_versions_of_a_run_are_paired_as_in_its_own_test(session: Session, seeded: seed.Seeded) -> None:
    before, after = sides(seeded.finished)
    found = comparison.compare(session, before, after, "test")
    own = seeded.finished.outcome["test"]
    assert found.paired is not None
    assert found.before.as_json() == own["initial"]
    assert found.after.as_json() == own["final"]
    assert found.paired.delta == own["paired"]["delta"]
    assert list(found.paired.fixed) == own["paired"]["fixed"]


def test_runs_over_other_data_are_not_paired(session: Session, seeded: seed.Seeded) -> None:
    before, after = sides(seeded.finished)
    other = seeded.running
    other.spec = other.spec | {"dataset": {"id": 2, "name": "else", "digest": "another"}}
    assert comparison.compare(session, before, Side(other, after.candidate), "test").paired is None
    other.spec = {}
    assert not comparison.same_data(seeded.finished, other)


def test_settings_that_differ_are_named_by_their_path() -> None:
    left = {"a": 1, "model": {"name": "x", "digest": "1"}, "gone": True}
    right = {"a": 1, "model": {"name": "y", "digest": "2"}, "new": [1]}
    found = comparison.differences(left, right, frozenset({"digest"}))
    assert found == [("model.name", "x", "y"), ("gone", True, None), ("new", None, [1])]


def test_standing_grows_with_what_is_there(session: Session) -> None:
    assert standing(session) == Standing(False, False, False, False)
    seed.fill(session)
    assert standing(session) == Standing(True, True, True, True)
