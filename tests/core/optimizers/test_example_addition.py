"""Few-shot examples: from train, for what fails, within the budget, the same for the same seed."""

from __future__ import annotations

from collections import Counter

import pytest

from app.core.model import Candidate, Case
from app.core.optimizers import STRATEGIES, Evidence, Proposal
from app.core.optimizers.example_addition import SHOTS, choose_examples, subsets
from app.core.optimizers.examples import like, parted, shown_in, with_examples, without_examples
from tests.core.optimizers.evidence_world import PARENT, TRAIN, ScriptedAsk, evidence, row


async def propose(seen: Evidence) -> Proposal:
    return (await STRATEGIES["example_addition"].propose(seen, ScriptedAsk()))[0]


async def test_examples_are_added_to_the_system_prompt_and_nothing_else_changes() -> None:
    found = await propose(evidence())
    head, block = parted(found.system_prompt)
    assert head == PARENT.system_prompt
    assert found.output_prompt == PARENT.output_prompt
    assert block.startswith("\n\n<examples>\nInput: message ")
    assert block.count("\nOutput: label_") == SHOTS[0]
    assert found.reasoning.startswith(
        f"{SHOTS[0]} examples from the train split, chosen towards the answers that failed: "
    )


async def test_examples_are_replaced_not_piled_up() -> None:
    parent = Candidate(with_examples(PARENT.system_prompt, TRAIN[:3]), "", PARENT.model)
    found = await propose(evidence(parent=parent))
    assert found.system_prompt.count("<examples>") == 1
    assert without_examples(found.system_prompt) == PARENT.system_prompt


def test_labels_that_fail_come_first_and_others_are_not_forgotten() -> None:
    train = tuple(Case(str(i), f"text {i}", f"label_{i % 5}", "train") for i in range(60))
    failures = tuple(row(case, 0.0) for case in train if case.reference in ("label_3", "label_4"))[:8]
    chosen = choose_examples(evidence(train=train, failures=failures, successes=(), epoch=1), 0)
    assert Counter(case.reference for case in chosen) == {f"label_{i}": 1 for i in range(5)} | {chosen[0].reference: 2}
    assert chosen[0].reference in ("label_3", "label_4"), "the sixth is of a label that failed"
    assert {case.reference for case in chosen[-2:]} == {"label_3", "label_4"}, "the last weigh most"


def test_free_answers_are_chosen_by_likeness_to_the_failures() -> None:
    train = tuple(Case(str(i), f"sentence {i} speaks of topic{i % 7}", f"answer {i}", "train") for i in range(40))
    failing = row(train[3], 0.1)
    chosen = choose_examples(evidence(train=train, failures=(failing,), successes=()), 0)
    assert sum("topic3" in case.input for case in chosen) >= SHOTS[0] // 2
    assert failing.case not in chosen


def test_rows_just_seen_are_spared_while_there_are_others() -> None:
    seen = tuple(row(case, 0.0) for case in TRAIN[:8])
    assert not {r.case.id for r in seen} & {c.id for c in choose_examples(evidence(failures=seen), 0)}
    scarce = evidence(failures=seen, successes=(), train=TRAIN[:8])
    assert len(choose_examples(scarce, 0)) == SHOTS[0]


def test_several_different_subsets_are_tried_at_once() -> None:
    found = subsets(evidence(), 3)
    assert len({p.system_prompt for p in found}) == 3
    assert [p.system_prompt.count("\nOutput: ") for p in found] == list(SHOTS[:3])


def test_the_examples_that_a_prompt_shows_are_varied_in_part() -> None:
    parent = Candidate(with_examples(PARENT.system_prompt, TRAIN[:6]), "", PARENT.model)
    first = subsets(evidence(parent=parent), 3)[0]
    shown = shown_in(first.system_prompt, TRAIN)
    assert len(set(shown) & set(TRAIN[:6])) == 4
    assert len(shown) in (6, 7)
    assert "some of them exchanged" in first.reasoning


def test_the_same_evidence_gives_the_same_examples_and_each_subset_is_another() -> None:
    chosen = [choose_examples(evidence(), at) for at in range(6)]
    assert chosen == [choose_examples(evidence(), at) for at in range(6)]
    assert [len(cases) for cases in chosen] == [*SHOTS, SHOTS[0]]
    assert chosen[0] != chosen[5]
    assert choose_examples(evidence(seed=8), 0) != chosen[0]


async def test_the_length_budget_is_kept() -> None:
    long = tuple(Case(str(i), "x" * (30 * i), f"label_{i % 2}", "train") for i in range(40))
    found = await propose(evidence(train=long, max_prompt_chars=600, epoch=4, failures=(), successes=()))
    assert len(found.system_prompt) + len(found.output_prompt) <= 600
    assert found.system_prompt.count("Input: ") >= 2


@pytest.mark.parametrize("train", [(), (Case("1", "text", "", "train"),), (Case("1", "x" * 9000, "label", "train"),)])
async def test_nothing_fit_to_show_is_no_proposal(train: tuple[Case, ...]) -> None:
    assert await STRATEGIES["example_addition"].propose(evidence(train=train), ScriptedAsk()) == []


def test_text_that_would_be_taken_for_part_of_the_prompt_is_not_shown() -> None:
    odd = tuple(
        Case(str(i), text, "label", "train") for i, text in enumerate(["see {{input}}", "</examples>", "<examples>"])
    )
    assert choose_examples(
        evidence(train=(*odd, Case("9", "fine", "label", "train")), failures=(), successes=()), 0
    ) == [Case("9", "fine", "label", "train")]


def test_the_block_is_found_only_at_the_end() -> None:
    middle = "Before\n<examples>\nInput: a\nOutput: b\n</examples>\nAfter"
    assert parted(middle) == (middle, "")
    both = with_examples(middle, TRAIN[:1])
    assert without_examples(both) == middle
    assert like(both, "Child") == f"Child{parted(both)[1]}"
    own = with_examples("Child", TRAIN[1:2])
    assert like(both, own) == own
