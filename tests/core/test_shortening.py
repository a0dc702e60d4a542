"""Sentences that are worth nothing are left out after the search, and the sealed test says whether that may be used."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from app.core.budget import Limits
from app.core.kinds.train import train
from app.core.kinds.training import Training
from app.core.model import Candidate, Case
from app.core.tokens import estimated_tokens
from app.ports.llm import CallError, Json, Request, ServerFault
from app.store.memory import MemoryRecord
from tests.core.crash import Crash, CrashingJournal
from tests.core.training_world import OPTIMIZER, PRIMARY, engine, training
from tests.fakes.llm import RuleLLM

NEEDED = "Answer with the colour only."
RULE = "- A lemon is yellow."
IDLE = ("You are a seasoned expert.", "Take a deep breath.", "Many people rely on you.")
WORDY = f"{IDLE[0]} {IDLE[1]} {NEEDED}\n\nWhat is known:\n{RULE}\n- A rose is red.\n\n{IDLE[2]}"
KINDS = ("lemon", "rose", "leaf")
THING = re.compile(r"Thing (\d+): a (\w+)")
COLOURS = {"lemon": "yellow", "rose": "red", "leaf": "green"}


def cases(split: str, count: int, start: int = 0) -> tuple[Case, ...]:
    return tuple(
        Case(str(i), f"Thing {i}: a {KINDS[i % 3]}", COLOURS[KINDS[i % 3]], split) for i in range(start, start + count)
    )


def rule(request: Request) -> str | CallError:
    """A model that knows leaves, and of other things what its prompt says of them; bare answers only when told so."""
    if request.model == OPTIMIZER:
        return json.dumps({"system_prompt": "Guess.", "output_prompt": "", "reasoning": "Shorter is better."})
    system = "\n".join(m.content for m in request.messages if m.role == "system")
    kind = THING.findall("\n".join(m.content for m in request.messages))[-1][1]
    known = kind == "leaf" or f"A {kind} is {COLOURS[kind]}" in system
    answer = COLOURS[kind] if known else "blue"
    return answer if NEEDED in system else f"It is {answer}."


def spec(**changes: object) -> Training:
    settings: dict[str, object] = {
        "start": Candidate(WORDY, "", PRIMARY),
        "train": cases("train", 12),
        "validation": cases("validation", 30, 100),
        "test": cases("test", 150, 300),
        "epochs": 1,
        "shorten": "offer",
        "shorten_answers": 1000,
    }
    return training(**(settings | changes))


async def conduct(
    wanted: Training, llm: RuleLLM | None = None, limits: Limits | None = None
) -> tuple[Json, MemoryRecord]:
    record = MemoryRecord()
    run = engine(llm or RuleLLM(rule), record.claim(), limits=limits)
    return await run.conduct(lambda run: train(run, wanted)), record


def told(record: MemoryRecord, name: str) -> list[Json]:
    return [e.data for e in record.history if e.name == name]


def by_text(outcome: Json) -> dict[str, Any]:
    return {unit["text"]: unit for unit in outcome["shortening"]["units"]}


async def test_idle_sentences_go_and_what_is_worth_something_stays() -> None:
    outcome, record = await conduct(spec())
    found, units = outcome["shortening"], by_text(outcome)
    assert {text for text, unit in units.items() if unit["fate"] == "dropped"} == {*IDLE, "What is known:"}
    assert units[NEEDED]["fate"] == units[RULE]["fate"] == "kept"
    assert units[NEEDED]["delta"] == 1.0
    assert units[RULE]["delta"] == pytest.approx(1 / 3, abs=0.15)
    assert units[IDLE[0]]["delta"] == 0.0
    assert units[IDLE[0]]["n"] == 30
    assert found["offer"]["system_prompt"] == f"{NEEDED}\n\n{RULE}\n- A rose is red."
    assert found["tokens_before"] == estimated_tokens(WORDY)
    assert found["tokens_after"] == estimated_tokens(found["offer"]["system_prompt"])
    assert outcome["final"]["system_prompt"] == WORDY
    (version,) = [p for p in told(record, "proposal") if p["strategy"] == "shortening"]
    assert (version["fate"], version["parent"], version["number"]) == ("shortened", 0, found["offer"]["number"])


async def test_the_sealed_test_reads_the_shorter_prompt_beside_the_others_and_rules_on_it() -> None:
    llm = RuleLLM(rule)
    outcome, record = await conduct(spec(), llm)
    found = outcome["shortening"]
    assert found["usable"] is True
    assert "may be used in place of the initial ones" in found["sentence"]
    comparison = found["test"]["comparison"]
    assert (comparison["n"], comparison["delta"]) == (150, 0.0)
    assert -0.02 < comparison["low"] < 0 < comparison["high"] < 0.02
    things = [THING.match(request.messages[-1].content) for request in llm.paid]
    tests = [i for i, found in enumerate(things) if found and int(found[1]) >= 300]
    assert len(tests) == 300
    assert min(tests) == len(llm.paid) - 300, "the test is looked at once, and last"
    assert [e.name for e in record.history][-3:] == ["test", "verdict", "shortened"]


async def test_too_few_test_examples_show_nothing_and_that_is_said() -> None:
    outcome, _ = await conduct(spec(test=cases("test", 24, 300)))
    found = outcome["shortening"]
    assert found["usable"] is False
    assert "24 examples cannot show less, 137 can" in found["sentence"]


async def test_without_a_test_split_nothing_is_said_of_it() -> None:
    outcome, _ = await conduct(spec(test=()))
    assert outcome["shortening"]["usable"] is None
    assert "no test split" in outcome["shortening"]["sentence"]


async def test_the_final_prompts_must_be_confirmed_before_their_shorter_version() -> None:
    better = json.dumps({"system_prompt": f"{WORDY}\n- A plum is violet.", "output_prompt": "", "reasoning": "more"})

    def learns(request: Request) -> str | CallError:
        if request.model == OPTIMIZER:
            return better
        text = "\n".join(m.content for m in request.messages)
        if "plum is violet" in text or "Thing 30" in text or "Thing 4" in text:
            return rule(request)
        return "blue" if "Thing 1" in text and "leaf" in text else rule(request)

    outcome, _ = await conduct(spec(train=cases("train", 60), batch_size=30), RuleLLM(learns))
    assert outcome["final"]["number"] == 1
    assert outcome["verdict"] == "keep"
    assert outcome["shortening"]["of"] == 1
    assert outcome["shortening"]["usable"] is False
    assert "were not confirmed themselves" in outcome["shortening"]["sentence"]


async def test_locked_texts_and_placeholders_are_not_tried() -> None:
    start = Candidate(f"{WORDY} Mind {{{{input}}}} well.", "", PRIMARY)
    wanted = spec(start=start, locked=(IDLE[1],), validation=cases("validation", 30, 100), test=())
    outcome, _ = await conduct(wanted)
    units = by_text(outcome)
    assert units[IDLE[1]]["fate"] == "fixed"
    assert units[IDLE[1]]["why"] == "it is locked"
    assert units["Mind {{input}} well."]["why"] == "it holds the placeholder {{input}}"
    assert outcome["shortening"]["offer"]["system_prompt"].startswith(f"{IDLE[1]} {NEEDED}")
    assert outcome["shortening"]["offer"]["system_prompt"].endswith("Mind {{input}} well.")


async def test_two_sentences_that_say_the_same_are_not_both_dropped() -> None:
    twice = Candidate(f"{NEEDED} Take care.\n{NEEDED}\n{RULE}\n- A rose is red.", "", PRIMARY)
    outcome, _ = await conduct(spec(start=twice))
    offered = outcome["shortening"]["offer"]["system_prompt"]
    assert offered.count(NEEDED) == 1 or "Take care." not in offered
    assert NEEDED in offered
    assert outcome["shortening"]["usable"] is True
    assert any("not together with the others" in unit["why"] for unit in outcome["shortening"]["units"])


async def test_the_same_sentence_twice_in_a_row_is_answered_for_once() -> None:
    start = Candidate(f"{NEEDED} {IDLE[0]} {IDLE[0]}\n{RULE}\n- A rose is red.", "", PRIMARY)
    outcome, _ = await conduct(spec(start=start))
    idle = [unit for unit in outcome["shortening"]["units"] if unit["text"] == IDLE[0]]
    assert [(unit["n"], unit["asked"], unit["fate"]) for unit in idle] == [(30, 30, "dropped")] * 2


async def test_repeats_count_as_answers_and_not_as_examples() -> None:
    outcome, _ = await conduct(spec(repeats=2, test=cases("test", 24, 300)))
    found = outcome["shortening"]
    assert {unit["text"] for unit in found["units"] if unit["fate"] == "dropped"} == {*IDLE, "What is known:"}
    assert {unit["n"] for unit in found["units"] if unit["fate"] == "dropped"} == {30}
    assert found["answers"] > 2 * 30 * (len(IDLE) + 2) - 1
    assert found["test"]["comparison"]["n"] == 24


async def test_every_look_at_a_hidden_split_is_counted() -> None:
    outcome, record = await conduct(spec())
    looked = {split: {x.candidate for x in record.looks if x.split == split} for split in ("validation", "test")}
    assert outcome["looks"]["validation"] == len(looked["validation"])
    assert looked["test"] == {outcome["initial"]["digest"], outcome["shortening"]["offer"]["digest"]}


async def test_a_later_comparison_on_the_same_test_is_held_to_a_wider_interval() -> None:
    async def at(number: int) -> Json:
        record = MemoryRecord(compared_before=number - 1)
        outcome = await engine(RuleLLM(rule), record.claim()).conduct(lambda run: train(run, spec()))
        return outcome["shortening"]

    first, tenth = await at(1), await at(10)
    assert (first["usable"], tenth["usable"]) == (True, False)
    assert tenth["test"]["comparison"]["level"] == pytest.approx(0.995)
    assert tenth["test"]["comparison"]["needed"] == 197
    assert "99.5 % interval" in tenth["sentence"]


async def test_what_is_left_must_not_read_like_a_hidden_example() -> None:
    """Between the two halves of a validation input stands an idle sentence."""
    halves = ("Think of thing 100.", "A rose is red.")
    start = Candidate(f"{NEEDED} {halves[0]} {IDLE[1]} {halves[1]}\n{RULE}", "", PRIMARY)
    outcome, _ = await conduct(spec(start=start, locked=halves))
    assert outcome["shortening"]["offer"] is None
    assert by_text(outcome)[IDLE[1]]["why"] == (
        "the shorter prompts may not be used: it holds text of a validation example, which no prompt may know"
    )


@pytest.mark.parametrize("answers", [60, 90, 120, 150])
async def test_it_takes_no_more_answers_than_it_may(answers: int) -> None:
    outcome, _ = await conduct(spec(shorten_answers=answers))
    found = outcome["shortening"]
    assert 0 < found["answers"] <= answers
    measured = [unit for unit in found["units"] if unit["n"]]
    assert len(measured) < len(found["units"])
    assert any(unit["why"].startswith("not measured") for unit in found["units"])


async def test_errors_are_no_wrong_answers_here_either() -> None:
    llm = RuleLLM(lambda r: ServerFault("500") if "Thing 105" in r.messages[-1].content else rule(r))
    outcome, _ = await conduct(spec(), llm)
    units = by_text(outcome)
    assert (units[IDLE[0]]["n"], units[IDLE[0]]["asked"]) == (29, 30)
    assert units[IDLE[0]]["fate"] == "dropped"


async def test_off_means_that_nothing_is_asked_and_nothing_said() -> None:
    plain, with_pass = RuleLLM(rule), RuleLLM(rule)
    outcome, record = await conduct(spec(shorten="off"), plain)
    await conduct(spec(), with_pass)
    assert "shortening" not in outcome
    assert told(record, "shortening") == []
    assert len(plain.paid) < len(with_pass.paid)


@pytest.mark.parametrize("share", [0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("unit", ["calls", "tokens", "usd"])
async def test_a_budget_ends_the_shortening_and_never_the_test(unit: str, share: float) -> None:
    _, record = await conduct(spec())
    spent = record.totals()
    limits = {
        "calls": Limits(calls=int(spent.calls * share)),
        "tokens": Limits(tokens=int((spent.prompt_tokens + spent.completion_tokens) * share)),
        "usd": Limits(usd=spent.cost_usd * share),
    }[unit]
    outcome, record = await conduct(spec(), limits=limits)
    spent = record.totals()
    assert outcome["test"]["paired"]["n"] == 150
    assert spent.calls <= (limits.calls or 10**9)
    assert spent.cost_usd <= (limits.usd or 1e9)
    assert spent.prompt_tokens + spent.completion_tokens <= (limits.tokens or 10**9)
    if outcome["shortening"]["stopped"]:
        assert "limit" in outcome["shortening"]["stopped"]


@pytest.mark.parametrize("limits", [Limits(), Limits(calls=200)], ids=["free", "a budget ends it"])
async def test_a_crash_anywhere_changes_nothing(limits: Limits) -> None:
    wanted = spec(test=cases("test", 24, 300), shorten_answers=400)
    llm, undisturbed = RuleLLM(rule), MemoryRecord()
    counting = CrashingJournal(undisturbed.claim(), at=10**9, flushing=True)
    outcome = await engine(llm, counting, limits=limits).conduct(lambda run: train(run, wanted))
    expected = json.dumps([outcome, [e[1:] for e in undisturbed.history]])
    assert bool(outcome["shortening"]["stopped"]) == (limits.calls is not None)
    for at in range(1, counting.writes + 1, 7):
        record, again = MemoryRecord(), RuleLLM(rule)
        crashing = engine(again, CrashingJournal(record.claim(), at, flushing=True), limits=limits)
        with pytest.raises(Crash):
            await crashing.conduct(lambda run: train(run, wanted))
        run = engine(again, record.claim(), limits=limits, resumed=True)
        run.budget.recount(record.totals())
        resumed = await run.conduct(lambda run: train(run, wanted))
        if limits.calls is None:
            assert json.dumps([resumed, [e[1:] for e in record.history]]) == expected, f"crash at write {at}"
        assert resumed["test"]["paired"]["n"] == 24
