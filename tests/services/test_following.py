"""Following a run's events, comparing versions, and knowing how far somebody has come."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.services import comparison, feed, runs
from app.services.comparison import Side
from app.services.errors import Invalid
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


def sides(session: Session, run: Run) -> list[Side]:
    """The run's initial and final version."""
    return comparison.sides(session, [f"{run.id}:0", run.id])


def test_two_versions_of_a_run_are_paired_as_in_its_own_test(session: Session, seeded: seed.Seeded) -> None:
    first, last = comparison.compare(session, sides(session, seeded.finished), "test")
    own = seeded.finished.outcome["test"]
    assert first.paired is None
    assert last.paired is not None
    assert first.mean.as_json() == own["initial"]
    assert last.mean.as_json() == own["final"]
    assert last.paired.delta == own["paired"]["delta"]
    assert list(last.paired.fixed) == own["paired"]["fixed"]
    assert (last.pace.n, last.pace.tokens, last.pace.median_s, last.pace.p95_s) == (23, 61, 0.2, 0.2)


def test_runs_over_other_data_are_not_paired(session: Session, seeded: seed.Seeded) -> None:
    chosen = sides(session, seeded.finished)
    other = seeded.running
    other.spec = other.spec | {"dataset": {"id": 2, "name": "else", "digest": "another"}}
    column = comparison.compare(session, [chosen[0], Side(other, chosen[1].version)], "test")[1]
    assert (column.paired, column.why) == (None, "it was measured on other examples")
    other.spec = {}
    assert not comparison.same_data(seeded.finished, other)


def test_too_few_shared_examples_cannot_be_compared(session: Session, seeded: seed.Seeded) -> None:
    run = seeded.finished
    named = f"{run.id}:0"
    wide = [
        Side(run, comparison.side(session, named).version),
        Side(seeded.paused, comparison.side(session, named).version),
    ]
    column = comparison.compare(session, wide, "all")[1]
    assert column.paired is not None
    assert column.paired.coverage < 0.6
    assert column.why == f"only {column.paired.n} of {column.paired.asked} examples were scored for both"
    assert comparison.sentence(column, "all").startswith("It cannot be compared: only")


def test_every_example_falls_into_one_cell_and_pages_hold_each_once(session: Session, seeded: seed.Seeded) -> None:
    chosen = sides(session, seeded.finished)
    every = comparison.examples(session, chosen, "test", limit=100)
    own = seeded.finished.outcome["test"]["paired"]
    fixed = comparison.examples(session, chosen, "test", change="fixed")
    assert sorted(row.case for row in fixed) == sorted(own["fixed"])
    counts = {name: len(comparison.examples(session, chosen, "test", change=name)) for name in comparison.CHANGES}
    assert sum(counts.values()) == len(every) == 24
    assert counts["both_right"] == own["both_right"]
    paged, after = [], 0
    while page := comparison.examples(session, chosen, "test", after=after, limit=7):
        paged += [row.case for row in page]
        after = page[-1].cursor
    assert paged == [row.case for row in every]
    three = comparison.sides(session, [f"{seeded.finished.id}:0", "r1running:0", seeded.finished.id])
    rows = comparison.examples(session, three, "validation", limit=5)
    assert {len(row.answers) for row in rows} == {3}


def test_settings_that_differ_are_named_by_their_path() -> None:
    left = {"a": 1, "model": {"name": "x", "digest": "1"}, "gone": True}
    right = {"a": 1, "model": {"name": "y", "digest": "2"}, "new": [1]}
    found = comparison.differences([left, right, left], frozenset({"digest"}))
    assert found == [("model.name", ["x", "y", "x"]), ("gone", [True, None, True]), ("new", [None, [1], None])]


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ([], "at least 2"),
        (["r0finished"], "at least 2"),
        (["r0finished", "r0finished"], "at least 2"),
        (["r0finished:0", "nope"], "there is no run nope"),
        (["r0finished:0", "r0finished:77"], "no version 77"),
        (["r0finished:0", "r0finished:x"], "no version x"),
        (["r0finished:0", "r3failed"], "no version that was scored"),
        ([f"r0finished:{n}" for n in range(9)], "at most 8"),
    ],
)
def test_what_cannot_be_compared_is_said(session: Session, seeded: seed.Seeded, named: list[str], told: str) -> None:
    with pytest.raises(Invalid, match=told):
        comparison.sides(session, named)


def test_standing_grows_with_what_is_there(session: Session) -> None:
    assert standing(session) == Standing(False, False, False, False, False)
    seed.fill(session)
    assert standing(session) == Standing(True, True, True, True, False)
