"""The parts of judging again: recorded answers, kept scores, recorded parents, and a verdict that is never flat."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from app.core import scorers
from app.core.kinds.recorded import (
    NO_ANSWER,
    NO_JUDGEMENT,
    NOT_READ,
    Given,
    Record,
    RecordedAnswers,
    RecordedProposals,
    Rescoring,
    proposal_of,
)
from app.core.kinds.rejudge import Replayed
from app.core.kinds.training import Training
from app.core.model import Candidate, Case, Response, Score, Unscored
from app.core.optimizers import Member, Outlook
from app.ports.journal import CallResult, Sample
from app.ports.llm import ModelRef
from tests.core.training_world import PRIMARY, training

ASKED = Candidate("Answer.", "", PRIMARY)
CASE = Case("7", "colour 7", "pink", split="validation")


class Model:
    """An ask whose model says "bought"."""

    def __init__(self) -> None:
        self.roles: list[str] = []

    async def __call__(self, role: str, *_: Any) -> CallResult:
        self.roles.append(role)
        return CallResult("bought", finish_reason="stop")


def sample(**changes: Any) -> Sample:
    plain = Sample("k", ASKED.digest, "7", 0, "validation", "scored", 0.5, "Half.", "rose", {"exact_match": 0.5})
    return dataclasses.replace(plain, **changes)


def answers(*found: Sample, buy: bool = False, trusted: frozenset[str] = frozenset()) -> RecordedAnswers:
    record = Record((), {(one.candidate, one.case, one.repeat): one for one in found}, {}, {})
    return RecordedAnswers(record, "r1", buy, trusted)


async def test_a_recorded_answer_is_given_without_a_call() -> None:
    ask = Model()
    given = await answers(sample()).respond(ASKED, CASE, ask)
    assert (given, ask.roles) == (Given("rose"), [])


async def test_a_recorded_score_is_kept_where_it_still_holds() -> None:
    given = await answers(sample(), trusted=frozenset("7")).respond(ASKED, CASE, Model())
    kept = await Rescoring(scorers.build("exact_match"), buy=False).score(CASE, given, Model())
    assert kept == Score(0.5, "Half.", True, {"exact_match": 0.5})
    again = await Rescoring(scorers.build("exact_match"), buy=False).score(CASE, Given("pink"), Model())
    assert again.value == 1.0


async def test_an_unreadable_answer_stays_unreadable() -> None:
    given = await answers(sample(outcome="parse_failed", score=0.0), trusted=frozenset("7")).respond(
        ASKED, CASE, Model()
    )
    assert isinstance(given, Given)
    assert given.known
    assert not given.known.parsed


@pytest.mark.parametrize("outcome", ["timed_out", "refused", "truncated", "provider_error"])
async def test_an_error_stays_an_error_and_is_not_asked_again(outcome: Any) -> None:
    ask = Model()
    failed = sample(outcome=outcome, score=None, response="", error="why")
    assert await answers(failed, buy=True).respond(ASKED, CASE, ask) == Response("", outcome, "why")
    assert ask.roles == []


@pytest.mark.parametrize("outcome", ["scoring_failed", "provider_error"])
async def test_an_answer_that_only_its_judge_failed_on_is_an_answer(outcome: Any) -> None:
    failed = sample(outcome=outcome, score=None, error="the judge gave no reply")
    assert await answers(failed).respond(ASKED, CASE, Model()) == Given("rose")


async def test_what_is_not_on_record_is_left_or_bought_but_never_of_the_sealed_test() -> None:
    ask, test = Model(), dataclasses.replace(CASE, split="test")
    assert await answers().respond(ASKED, CASE, ask) == Response("", "cancelled", NO_ANSWER)
    assert await answers(buy=True).respond(ASKED, test, ask) == Response("", "cancelled", NOT_READ)
    assert ask.roles == []
    assert (await answers(buy=True).respond(ASKED, CASE, ask)).text == "bought"
    assert ask.roles == ["primary"]


async def test_a_judge_is_not_asked_when_nothing_is_bought() -> None:
    rubric = scorers.build(
        {"name": "rubric", "instructions": "{{criteria}} {{response}} {{reply_format}}"}, judge=PRIMARY
    )
    ask = Model()
    with pytest.raises(Unscored, match=NO_JUDGEMENT) as left:
        await Rescoring(rubric, buy=False).score(CASE, Given("rose"), ask)
    assert left.value.outcome == "cancelled"
    assert ask.roles == []


def test_proposals_start_from_their_parent_of_then_or_from_the_best() -> None:
    note = {
        "number": 3,
        "parents": [1, 2],
        "system_prompt": "s",
        "output_prompt": "o",
        "reasoning": "r",
        "fate": "accepted",
    }
    made = proposal_of(note | {"strategy": "merge"})
    assert (made.parents, made.strategy, made.system_prompt) == ((2,), "merge", "s")
    strategy = RecordedProposals(Record((), {}, {}, {1: 2}), "full_rewrite")
    pool = tuple(Member(n, ASKED, (), {}, 0.0, complete=True) for n in (0, 2))
    assert strategy.parent(Outlook(1, 0, 0, pool)) == 2
    assert strategy.parent(Outlook(1, 0, 0, pool[:1])) == 0
    assert strategy.parent(Outlook(9, 0, 2, pool)) == 2


def replayed(tested: Candidate | None = None) -> Replayed:
    before = training()
    read = sample(split="test", candidate=tested.digest) if tested else sample()
    record = Record((), {(read.candidate, "7", 0): read}, {}, {})
    values = {one.name: getattr(before, one.name) for one in dataclasses.fields(Training)}
    return Replayed(**values, before=before, record=record)


FINAL = Candidate("Better.", "", ModelRef("simulated/rule", {}))


def test_it_never_says_ship_flatly() -> None:
    told = "Ship the new prompts: on 24 unseen examples the mean score rose."
    verdict, sentence = replayed(FINAL).tell("ship", told, FINAL)
    assert verdict == "would_ship"
    assert sentence.startswith(
        "Exploratory: under these rules the new prompts would have been shipped: on 24 recorded test"
    )
    assert "Ship" not in sentence
    assert "unseen" not in sentence
    assert replayed(FINAL).tell("keep", "Keep the initial prompts: so.", FINAL)[0] == "would_keep"
    assert replayed(FINAL).tell("indecisive", "Indecisive: thin.", FINAL)[0] == "indecisive"


def test_a_version_that_was_not_read_on_the_test_gets_no_verdict() -> None:
    verdict, sentence = replayed().tell("ship", "Ship the new prompts: yes.", FINAL)
    assert verdict == "indecisive"
    assert "never read on the sealed test" in sentence


def test_batches_and_blocks_are_those_of_then_without_the_rows_that_were_left_out() -> None:
    whole = replayed()
    out = {whole.train[3].id, whole.validation[5].id}
    parts = {name: tuple(c for c in getattr(whole, name) if c.id not in out) for name in ("train", "validation")}
    less = dataclasses.replace(whole, **parts)
    for epoch in range(1, 6):
        drawn = whole.batch(epoch, 16)
        assert less.batch(epoch, 16) == tuple(c for c in drawn if c.id not in out)
    assert less.blocks() == [tuple(c for c in block if c.id not in out) for block in whole.blocks()]


def test_only_a_missing_answer_makes_a_decision_unmeasured() -> None:
    found = [sample(), sample(outcome="timed_out", score=None), sample(outcome="cancelled", score=None)]
    assert replayed().unmeasured(found[:2]) == ""
    assert replayed().unmeasured(found) == "not measured: 1 of 3 answers are not on record"
