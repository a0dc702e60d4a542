"""Comparing prompts on a dataset: paired with the first, held to its share of the error, and counted as a look at the test."""

from __future__ import annotations

import io
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import Settings
from app.llm.gateway import Gateway
from app.ports.llm import Request
from app.services import comparison, datasets, prompts, runs
from app.services.errors import Invalid
from app.store.models import Look, Run
from tests.faults.kinds import drive_to_end

GOOD, BAD, WORDY = "Answer truly.", "Answer badly.", "Answer truly, please."


def rule(request: Request) -> str:
    """The good prompts are always right (the rows' answers are their inputs' last words), the bad one never."""
    text = "\n".join(message.content for message in request.messages)
    return "never" if "badly" in text else text.rsplit("|", 1)[-1].strip()


@pytest.fixture
def asked(session: Session) -> dict[str, Any]:
    """Three prompts on 60 rows, which answer with their last word."""
    rows = "\n".join(f"question {n}|{'yes' if n % 3 else 'no'},{'yes' if n % 3 else 'no'}" for n in range(60))
    name = datasets.import_file(
        session, io.BytesIO(f"user_input,ground_truth_output\n{rows}".encode()), "sixty.csv"
    ).name
    for title, text in (("good", GOOD), ("bad", BAD), ("wordy", WORDY)):
        prompts.create(session, title, kind="pair", system_prompt=text)
    prompts.create(session, "talk", kind="chat", messages=[{"role": "user", "content": "Answer truly: {{input}}"}])
    return {"dataset": name, "version": ["bad", "good@1"], "part": "test", "split": "50/20/30", "cache": "off",
            "primary_model": "simulated/primary"}  # fmt: skip


def spec_of(session: Session, asked: dict[str, Any]) -> Any:
    return comparison.parse(session, asked, settings=Settings(), gateway=Gateway(Settings(), {}))


def run_of(session: Session, asked: dict[str, Any]) -> Run:
    run = comparison.start(session, spec_of(session, asked))
    drive_to_end(session, run.id, rule)
    return runs.get(session, run.id)


def test_the_better_prompt_is_found_and_the_test_counts_as_looked_at(session: Session, asked: dict[str, Any]) -> None:
    run = run_of(session, asked)
    outcome = run.outcome
    assert (outcome["verdict"], outcome["part"], outcome["n"], outcome["comparison"]) == ("better", "test", 18, 1)
    assert outcome["sentence"].startswith("good, version 1 is better than bad, version 1: +1.000 on 18 shared examples")
    first, second = outcome["candidates"]
    assert (first["mean"]["mean"], first["paired"], first["finding"]) == (0.0, None, "first")
    assert (second["mean"]["mean"], len(second["paired"]["fixed"]), second["finding"]) == (1.0, 18, "better")
    assert len(list(session.scalars(select(Look).where(Look.run_id == run.id, Look.split == "test")))) == 2
    again = run_of(session, asked | {"version": ["bad", "wordy"]})
    assert again.outcome["comparison"] == 2
    assert again.outcome["candidates"][1]["paired"]["level"] == pytest.approx(0.975)


def test_several_are_each_held_to_their_share_and_a_chat_is_measured_too(
    session: Session, asked: dict[str, Any]
) -> None:
    run = run_of(session, asked | {"version": ["good", "wordy", "talk", "bad"], "part": "train"})
    assert run.outcome["verdict"] == "no difference"
    found = {one["name"]: one["finding"] for one in run.outcome["candidates"]}
    assert found == {
        "good, version 1": "first",
        "wordy, version 1": "no difference",
        "talk, version 1": "no difference",
        "bad, version 1": "worse",
    }
    assert run.outcome["candidates"][1]["paired"]["level"] == pytest.approx(1 - 0.05 / 3)
    assert session.scalars(select(Look)).all() == []
    found = comparison.sides(session, [f"{run.id}:3", f"{run.id}:0"])
    columns = comparison.compare(session, found, "train")
    assert columns[1].paired is not None
    assert columns[1].paired.delta == 1.0


def test_a_budget_that_ends_it_says_so(session: Session, asked: dict[str, Any]) -> None:
    run = run_of(session, asked | {"budget_calls": "20"})
    assert (run.outcome["verdict"], run.outcome["stopped_by"]) == ("indecisive", "budget")
    assert len(runs.samples(session, run.id, limit=100)) == 20


def test_all_rows_keep_their_parts(session: Session, asked: dict[str, Any]) -> None:
    run = run_of(session, asked | {"part": "all"})
    assert run.outcome["n"] == 60
    assert {one.split for one in runs.samples(session, run.id, limit=200)} == {"train", "validation", "test"}
    assert run.outcome["comparison"] == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"version": ["good"]}, "version"),
        ({"version": ["good"] * 9}, "version"),
        ({"version": ["good", "good@1"]}, "version-1"),
        ({"version": ["good", "gone"]}, "version-1"),
        ({"version": ["good", "nowhere:1"]}, "version-1"),
        ({"dataset": "gone"}, "dataset"),
        ({"dataset": ""}, "dataset"),
        ({"part": "sealed"}, "part"),
        ({"part": "test", "split": "60/40/0"}, "part"),
        ({"split": "x"}, "split"),
        ({"scorer": ["odd"]}, "scorer"),
        ({"primary_model": "nobody/x"}, "primary_model"),
        ({"repeats": "0"}, "repeats"),
        ({"epochs": "3"}, "epochs"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(session: Session, asked: dict[str, Any], change: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        spec_of(session, asked | change)
    assert [problem.field for problem in refused.value.problems] == [field]


def test_the_estimate_is_what_it_takes(session: Session, asked: dict[str, Any]) -> None:
    spec = spec_of(session, asked | {"repeats": "2"})
    found = comparison.estimate(session, spec, gateway=Gateway(Settings(), {}))
    assert (found.calls, found.examples) == (2 * 2 * 18, 18)
    assert "comparison number 1" in found.notes[-1]
    assert spec_of(session, comparison.of_run(spec)) == spec
