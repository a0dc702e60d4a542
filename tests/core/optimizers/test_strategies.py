"""Strategies that ask a model: what they make of its replies."""

from __future__ import annotations

import json

import pytest

from app.core.model import Candidate
from app.core.optimizers import STRATEGIES, Proposal
from app.core.optimizers.examples import parted, with_examples
from app.core.optimizers.targeted_edit import edit_budget
from app.ports.journal import CallResult
from app.ports.llm import Json
from tests.core.optimizers.evidence_world import PARENT, TRAIN, ScriptedAsk, evidence

REWRITE = {"system_prompt": "New system.", "output_prompt": "New output.", "reasoning": "Because."}
EXAMPLES = Candidate(with_examples(PARENT.system_prompt, TRAIN[:2]), "Answer.", PARENT.model)


def edits(*changes: Json) -> str:
    return json.dumps({"edits": changes, "reasoning": "Because."})


def system(**change: str) -> Json:
    return {"target": "system_prompt", **change}


def test_the_table_names_its_strategies() -> None:
    assert all(name == strategy.name for name, strategy in STRATEGIES.items())
    assert {n for n, s in STRATEGIES.items() if not s.needs_optimizer} == {"example_addition"}
    assert {n for n, s in STRATEGIES.items() if s.adds_examples} == {"auto", "example_addition"}


async def test_a_rewrite_is_taken_as_it_is() -> None:
    ask = ScriptedAsk(json.dumps(REWRITE))
    assert await STRATEGIES["full_rewrite"].propose(evidence(), ask) == [Proposal(**REWRITE)]
    assert ask.schemas[0]["required"] == ["system_prompt", "output_prompt", "reasoning"]


async def test_a_prompt_that_is_not_named_stays() -> None:
    found = await STRATEGIES["full_rewrite"].propose(evidence(), ScriptedAsk('{"output_prompt": "Only the label."}'))
    assert found == [Proposal(PARENT.system_prompt, "Only the label.", "")]
    found = await STRATEGIES["full_rewrite"].propose(evidence(), ScriptedAsk('{"system_prompt": "New."}'))
    assert found == [Proposal("New.", PARENT.output_prompt, "")]


@pytest.mark.parametrize("junk", ["", "I would rather not.", '{"system_prompt": "New', '{"system_prompt": 3}', "{}"])
async def test_an_unusable_reply_gets_one_chance(junk: str) -> None:
    ask = ScriptedAsk(junk, json.dumps(REWRITE))
    assert await STRATEGIES["full_rewrite"].propose(evidence(), ask) == [Proposal(**REWRITE)]
    complaint = ask.asked[1]
    assert complaint[:2] == ask.asked[0]
    assert (complaint[2].role, complaint[2].content) == ("assistant", junk)
    assert complaint[3].content.startswith("Your reply could not be used: ")


async def test_two_unusable_replies_are_no_proposal() -> None:
    ask = ScriptedAsk("no", "still no")
    assert await STRATEGIES["full_rewrite"].propose(evidence(), ask) == []
    assert len(ask.asked) == 2


async def test_a_reply_cut_at_the_limit_is_told_to_be_shorter() -> None:
    ask = ScriptedAsk(CallResult('{"system_prompt": "Long', finish_reason="length"), json.dumps(REWRITE))
    await STRATEGIES["full_rewrite"].propose(evidence(), ask)
    assert "cut off at the token limit" in ask.asked[1][-1].content


async def test_a_failed_call_is_no_proposal() -> None:
    ask = ScriptedAsk(CallResult("refused", error="content_filtered"))
    assert await STRATEGIES["full_rewrite"].propose(evidence(), ask) == []


async def test_a_rewrite_keeps_the_examples() -> None:
    ask = ScriptedAsk(json.dumps(REWRITE))
    [found] = await STRATEGIES["full_rewrite"].propose(evidence(parent=EXAMPLES), ask)
    assert found.system_prompt == f"New system.{parted(EXAMPLES.system_prompt)[1]}"
    assert "Leave the <examples> block out" in ask.asked[0][1].content


async def test_edits_are_applied_exactly_and_in_order() -> None:
    reply = edits(
        system(find="Be brief.", replace="Be exact."),
        system(find="exact", replace="very exact"),
        system(append="Labels: label_a, label_b"),
        {"target": "output_prompt", "find": "Answer.", "replace": ""},
    )
    [found] = await STRATEGIES["targeted_edit"].propose(evidence("targeted_edit"), ScriptedAsk(reply))
    assert found == Proposal("Classify the message.\nBe very exact.\nLabels: label_a, label_b", "", "Because.")


async def test_schema_style_edits_with_empty_keys_are_the_same() -> None:
    reply = edits(
        {"target": "output_prompt", "find": "", "replace": "", "append": "Only the label."},
        {"target": "system_prompt", "find": "Be brief.", "replace": "Be exact.", "append": ""},
    )
    [found] = await STRATEGIES["targeted_edit"].propose(evidence("targeted_edit"), ScriptedAsk(reply))
    assert found == Proposal("Classify the message.\nBe exact.", "Answer.\nOnly the label.", "Because.")


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (system(find="be brief.", replace="x"), '"be brief." stands 0 times in the system_prompt, not once'),
        (system(find="e", replace="x"), '"e" stands 6 times'),
        (system(find="Be brief."), '"replace" is missing'),
        ({"target": "model", "append": "x"}, '"target" is system_prompt or output_prompt'),
        (system(), 'it has neither "find" nor "append"'),
        (system(append=["x"]), '"append" must be a text, not list'),
        ("append x", "an edit is an object"),
    ],
)
async def test_an_edit_that_does_not_fit_is_reported(edit: Json, problem: str) -> None:
    ask = ScriptedAsk(edits(system(append="Fine."), edit), edits(system(append="Better.")))
    [found] = await STRATEGIES["targeted_edit"].propose(evidence("targeted_edit"), ask)
    assert found.system_prompt.endswith("Better.")
    assert "edit 2: " in ask.asked[1][-1].content
    assert problem in ask.asked[1][-1].content


async def test_after_the_repair_turn_what_fits_is_taken() -> None:
    half = edits(system(append="Fine."), system(find="nowhere", replace="x"))
    [found] = await STRATEGIES["targeted_edit"].propose(evidence("targeted_edit"), ScriptedAsk(half, half))
    assert found.system_prompt == f"{PARENT.system_prompt}\nFine."
    assert found.reasoning == "Because. (1 of 2 edits left out: they did not fit or were too many.)"


async def test_when_nothing_fits_there_is_no_proposal() -> None:
    misses = edits(system(find="nowhere", replace="x"))
    assert await STRATEGIES["targeted_edit"].propose(evidence("targeted_edit"), ScriptedAsk(misses, misses)) == []
    assert await STRATEGIES["targeted_edit"].propose(evidence("targeted_edit"), ScriptedAsk(edits(), edits())) == []


async def test_the_edit_budget_shrinks() -> None:
    assert [edit_budget(epoch) for epoch in range(1, 8)] == [6, 5, 4, 3, 2, 2, 2]
    reply = edits(*[system(append=f"Rule {i}.") for i in range(5)])
    seen = evidence("targeted_edit", epoch=9)
    ask = ScriptedAsk(reply)
    [found] = await STRATEGIES["targeted_edit"].propose(seen, ask)
    assert found.system_prompt == f"{PARENT.system_prompt}\nRule 0.\nRule 1."
    assert "3 of 5 edits left out" in found.reasoning
    assert "at most 2 edits" in ask.asked[0][1].content


async def test_edits_stay_out_of_the_examples() -> None:
    reply = edits(system(append="Rule."), system(find="label_a", replace="x"))
    found = await STRATEGIES["targeted_edit"].propose(
        evidence("targeted_edit", parent=EXAMPLES), ScriptedAsk(reply, reply)
    )
    assert found[0].system_prompt == with_examples(f"{PARENT.system_prompt}\nRule.", TRAIN[:2])


@pytest.mark.parametrize("name", ["full_rewrite", "targeted_edit", "evolutionary", "reflective_pareto"])
async def test_an_optimiser_model_is_needed(name: str) -> None:
    with pytest.raises(ValueError, match="needs an optimiser model"):
        await STRATEGIES[name].propose(evidence(name, optimizer=None), ScriptedAsk())
