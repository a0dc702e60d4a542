"""What a provider may do wrong in the middle of a run, and that the run ends as if it had not, or says what it lacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from app.core.stats.interval import COUNTED
from app.llm.around import Around
from app.llm.openai_compatible import OpenAICompatible
from app.ports.llm import Message, ModelRef, Request, Unreachable
from app.services import runs
from app.store.models import SampleRow
from tests.fakes.faults import Fault
from tests.faults.oracle import assert_bill, bill, end_state, verdict
from tests.faults.stand import Stand

BOTH = pytest.mark.parametrize("stand", ["sqlite", "postgresql"], indirect=True)
AFTER = 20
"""Requests before the fault: it comes in the middle of the run."""
HASTY = {"deadline_s": 1.0}
PRIMARY = '"model": "rule"'


def samples(stand: Stand, run_id: str) -> list[SampleRow]:
    with stand.database.session() as session:
        return runs.samples(session, run_id, limit=1000)


@pytest.mark.parametrize("form", [None, "0.05", "1", "ms:30", "date:1", "date:-60", "31536000", "soon"])
def test_a_429_is_waited_for_in_whatever_form_it_asks(stand: Stand, fault_free: str, form: str | None) -> None:
    stand.server.play(Fault("429", times=3, after=AFTER, retry_after=form))
    run_id = stand.done()
    assert end_state(stand.database, run_id) == fault_free
    assert stand.server.ledger.faults["429"] == 3
    assert bill(stand.database, [run_id]) == (stand.server.ledger.paid, stand.server.ledger.paid)


PASSING = ["500", "502", "503", "reset", "reset_paid", "hang", "drip", "stall"]
PASSING += ["malformed", "html", "truncated", "not_json_object", "no_choices"]


@pytest.mark.parametrize("kind", PASSING)
def test_a_failure_that_passes_leaves_no_trace_but_on_the_bill(stand: Stand, fault_free: str, kind: str) -> None:
    stand.server.play(Fault(kind, times=3, after=AFTER))
    run_id = stand.done(calls=HASTY if kind in ("hang", "drip", "stall") else {})
    assert stand.server.ledger.faults[kind] == 3
    assert end_state(stand.database, run_id) == fault_free
    assert_bill(stand.database, [run_id], stand.server.ledger.paid)


@BOTH
def test_one_failure_of_each_sort_in_one_run(stand: Stand, fault_free: str) -> None:
    stand.server.play(*(Fault(kind, times=1, after=3 * n) for n, kind in enumerate([*PASSING, "429"], 1)))
    run_id = stand.done(calls=HASTY)
    assert len(stand.server.ledger.faults) == len(PASSING) + 1
    assert end_state(stand.database, run_id) == fault_free
    assert_bill(stand.database, [run_id], stand.server.ledger.paid)


@pytest.mark.parametrize(("kind", "outcome"), [("length", "truncated"), ("content_filter", "refused")])
def test_an_answer_that_was_cut_or_filtered_is_no_wrong_answer(stand: Stand, kind: str, outcome: str) -> None:
    stand.server.play(Fault(kind, times=2, after=3))
    run_id = stand.done()
    marked = [s for s in samples(stand, run_id) if s.outcome == outcome]
    assert [s.score for s in marked] == [None, None]
    baseline = next(e.data for e in notes(stand, run_id) if e.name == "baseline")["validation"]
    assert baseline["n"] == baseline["asked"] - 2
    assert bill(stand.database, [run_id]) == (stand.server.ledger.paid, stand.server.ledger.paid)


@pytest.mark.parametrize("kind", ["empty", "null"])
def test_an_empty_answer_is_an_answer_and_paid_once(stand: Stand, kind: str) -> None:
    stand.server.play(Fault(kind, times=2, after=3))
    run_id = stand.done()
    emptied = [s for s in samples(stand, run_id) if s.response == "" and s.outcome in COUNTED]
    assert [s.score for s in emptied] == [0.0, 0.0]
    assert bill(stand.database, [run_id]) == (stand.server.ledger.paid, stand.server.ledger.paid)


def test_without_usage_and_price_the_run_is_the_same_and_says_so(stand: Stand, fault_free: str) -> None:
    stand.server.play(Fault("no_usage", times=None, every=3))
    run_id = stand.done()
    assert without_tokens(end_state(stand.database, run_id)) == without_tokens(fault_free)
    with stand.database.session() as session:
        totals = runs.totals(session, run_id)
        estimated = [call for call in runs.calls(session, run_id, limit=1000) if call.tokens_estimated]
    assert totals.unpriced_calls == totals.calls == stand.server.ledger.paid
    assert len(estimated) == stand.server.ledger.faults["no_usage"] > 20


async def test_a_host_that_nobody_knows_is_unreachable_and_costs_nothing() -> None:
    adapter = OpenAICompatible(around=Around({}))
    nowhere = ModelRef("openai/rule", api_base="http://no-such-host.invalid/v1")
    try:
        with pytest.raises(Unreachable) as caught:
            await adapter.complete(Request(nowhere, (Message("user", "hello"),)), deadline_s=10)
    finally:
        await adapter.aclose()
    assert not caught.value.maybe_paid


class Strange:
    """Says what no database holds, at every fifth input; the other answers are the rule's."""

    def __init__(self, inner: Any, text: str, every: int) -> None:
        self._inner, self._text, self._every = inner, text, every
        self.said = 0

    def answer(self, messages: Any) -> str:
        found: str = self._inner.answer(messages)
        strange = sum(map(ord, messages[-1]["content"])) % self._every == 0
        self.said += strange
        return self._text if strange else found


@BOTH
@pytest.mark.parametrize(("text", "every"), [("a\0b \ud800 \udfff \u2028 \x1b[31m 🃏", 5), ("é" * 2_500_000, 13)])
def test_any_text_is_stored_and_costs_only_itself(stand: Stand, text: str, every: int) -> None:
    strange = Strange(stand.server.world, text, every)
    stand.server.world = strange  # type: ignore[assignment]
    try:
        run_id = stand.done(max_output_tokens=1_000_000)
    finally:
        stand.server.world = strange._inner
    kept = [s for s in samples(stand, run_id) if s.response[:3] in ("a\ufffdb", "ééé")]
    assert strange.said >= len(kept) >= 1
    assert {s.outcome for s in kept} <= set(COUNTED)
    assert {len(s.response) for s in kept} == {len(text)}
    assert_bill(stand.database, [run_id], stand.server.ledger.paid)


@BOTH
@pytest.mark.parametrize("kind", ["401", "403", "404", "insufficient_quota"])
def test_what_no_repetition_helps_pauses_at_once_and_is_resumed(stand: Stand, fault_free: str, kind: str) -> None:
    stand.server.play(Fault(kind, times=None, after=AFTER, match=PRIMARY))
    run_id = stand.queue()
    assert stand.drive(run_id) == "paused"
    assert stand.server.ledger.faults[kind] <= 4, "only the calls under way met the refusal"
    reason = stand.run(run_id).reason
    assert "openai/rule" in reason
    stand.server.play()
    stand.wish(runs.request_resume, run_id)
    assert stand.drive(run_id) == "done"
    assert end_state(stand.database, run_id) == fault_free
    assert stand.server.ledger.as_json()["repeated"] == 0
    assert_bill(stand.database, [run_id], stand.server.ledger.paid)


def test_an_optimiser_that_talks_junk_ends_in_a_verdict(stand: Stand) -> None:
    stand.server.junk = 1.0
    try:
        run_id = stand.done(epochs=2)
    finally:
        stand.server.junk = 0.0
    assert verdict(stand.database, run_id) in ("ship", "keep", "indecisive")
    assert_bill(stand.database, [run_id], stand.server.ledger.paid)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_third_of_the_answers_missing_never_turns_a_verdict(stand: Stand, seed: int) -> None:
    undisturbed = stand.done(seed=seed)
    stand.server.play(Fault("500", times=None, share=0.3, match=PRIMARY))
    run_id = stand.done(seed=seed, calls={"retries": 0, "circuit_failures": 50})
    missing = [s for s in samples(stand, run_id) if s.outcome == "provider_error"]
    assert missing
    assert all(s.score is None for s in missing)
    assert verdict(stand.database, run_id) in (verdict(stand.database, undisturbed), "indecisive")


def test_an_outage_of_the_other_model_pauses_and_is_resumed(stand: Stand, fault_free: str) -> None:
    stand.server.play(Fault("503", times=None, match='"model": "proposer"'))
    run_id = stand.queue()
    assert stand.drive(run_id) == "paused"
    assert "optimiser" in stand.run(run_id).reason
    stand.server.play()
    stand.wish(runs.request_resume, run_id)
    assert stand.drive(run_id) == "done"
    assert end_state(stand.database, run_id) == fault_free


class Judging:
    """Grades what it is asked to grade, the same text the same way; answers everything else by the rule."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def answer(self, messages: Any) -> str:
        text = "\n".join(m["content"] for m in messages)
        if "Grade one answer" not in text:
            return str(self.inner.answer(messages))
        return json.dumps({"explanation": "As it is.", "score": 1 + sum(map(ord, text)) % 5})


@pytest.fixture
def judged(stand: Stand) -> Iterator[dict[str, Any]]:
    """What a training asks for whose answers are graded by a model of the stand's provider."""
    judging = Judging(stand.server.world)
    stand.server.world = judging  # type: ignore[assignment]
    base = stand.server.url + "/v1"
    yield {"scorer": ["rubric"], "judge_model": "openai/judge", "judge_api_base": base, "epochs": 2}
    stand.server.world = judging.inner


@BOTH
def test_an_outage_of_the_judge_pauses_and_is_resumed(stand: Stand, judged: dict[str, Any]) -> None:
    undisturbed = stand.done(**judged)
    before = stand.server.ledger.paid
    stand.server.play(Fault("503", times=None, after=5, match='"model": "judge"'))
    run_id = stand.queue(**judged, calls={"circuit_failures": 4})
    assert stand.drive(run_id) == "paused"
    assert "openai/judge" in stand.run(run_id).reason
    stand.server.play()
    stand.wish(runs.request_resume, run_id)
    assert stand.drive(run_id) == "done"
    assert end_state(stand.database, run_id) == end_state(stand.database, undisturbed)
    assert_bill(stand.database, [run_id], stand.server.ledger.paid - before)


def test_a_judge_that_fails_now_and_then_never_makes_an_answer_wrong(stand: Stand, judged: dict[str, Any]) -> None:
    stand.server.play(Fault("500", times=None, share=0.2, match='"model": "judge"'))
    run_id = stand.done(**judged, calls={"retries": 0, "circuit_failures": 50})
    missing = [s for s in samples(stand, run_id) if s.outcome == "provider_error"]
    assert missing
    assert all(s.score is None for s in missing)
    assert_bill(stand.database, [run_id], stand.server.ledger.paid)


def test_a_limit_is_not_overshot_and_the_best_is_kept(stand: Stand) -> None:
    full = stand.done()
    needed = bill(stand.database, [full])[0]
    before = stand.server.ledger.paid
    run_id = stand.done(budget_calls=needed - 10)
    assert stand.server.ledger.paid - before <= needed - 10
    assert stand.run(run_id).outcome["stopped_by"] == "budget"


def notes(stand: Stand, run_id: str) -> Any:
    with stand.database.session() as session:
        return runs.notes(session, run_id)


def without_tokens(state: str) -> Any:
    outcome, history, rows = json.loads(state)
    return outcome, history, [row[:-1] for row in rows]
