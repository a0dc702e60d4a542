"""What failed for good is listed with its cause, taken away, and asked again alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.ports.llm import CallError, Rejected, Request
from app.services import runs
from app.services.training.draft import examples_of
from app.store.models import Run, SampleRow
from tests.faults import kinds
from tests.services.rejudge_world import again, missing

BROKEN = ("validation", "test")
"""One example of each of these splits is refused by the provider, whichever prompt asks."""


def failing(session: Session, run: Run) -> Callable[[Request], str | CallError]:
    """The small world, but for one example of each split in BROKEN."""
    answers = session.execute(select(SampleRow.case, SampleRow.split).where(SampleRow.run_id == run.id))
    split = {answer.case: answer.split for answer in answers}
    rows = [next(case for case, name in split.items() if name == broken) for broken in BROKEN]
    texts = [text for row, text, _ in examples_of(session, run.dataset_id or 0) if str(row) in rows]

    def rule(request: Request) -> str | CallError:
        asked = "optimizer" not in request.model.name and any(text in request.messages[-1].content for text in texts)
        return Rejected("the provider does not like this input") if asked else kinds.small("train").rule(request)

    return rule


def trained(session: Session, rule: Callable[[Request], str | CallError] | None = None) -> Run:
    run_id = kinds.small("train").queue(session, {"epochs": 4, "shorten": "off"})
    kinds.drive_to_end(session, run_id, *([rule] if rule else []))
    run = session.get_one(Run, run_id)
    session.refresh(run)
    return run


@pytest.fixture
def run(session: Session) -> Run:
    """A finished training in which some answers failed for good."""
    return trained(session, failing(session, trained(session)))


def test_what_failed_is_listed_and_exported(session: Session, run: Run) -> None:
    failed = runs.unprocessed(session, run)
    assert {one.sample.split for one in failed} == set(BROKEN)
    assert len(failed) == runs.count_unprocessed(session, run) >= 3  # both prompts on the test, and each on validation
    assert all("does not like this input" in one.sample.error for one in failed)
    pages = runs.unprocessed(session, run, limit=2), runs.unprocessed(session, run, after=failed[1].sample.id)
    assert [one.sample.id for page in pages for one in page] == [one.sample.id for one in failed]
    rows = list(csv.DictReader(io.StringIO("".join(runs.export_failed(session, run)))))
    assert [row["outcome"] for row in rows] == ["provider_error"] * len(failed)
    assert {row["split"] for row in rows} == set(BROKEN)


def test_it_is_asked_again_alone(session: Session, run: Run) -> None:
    failed = len(runs.unprocessed(session, run))
    assert missing(session, run).answers_low == 0
    assert missing(session, run, missing="retry").answers_low == failed
    left, nobody = again(session, run)
    assert nobody.paid == []
    assert runs.count_unprocessed(session, left) == failed
    mended, llm = again(session, run, missing="retry")
    assert len(llm.paid) == failed
    assert runs.count_unprocessed(session, mended) == 0
    before, after = run.outcome["test"]["paired"], mended.outcome["test"]["paired"]
    assert (after["n"], after["asked"]) == (before["n"] + 1, before["asked"])
    assert "exploratory" in mended.outcome["sentence"]
