"""What a proposal may not do, before a single rollout is spent on it."""

from __future__ import annotations

import random
import time

import pytest

from app.core.model import Candidate, Case
from app.core.optimizers import Proposal
from app.core.optimizers.examples import with_examples
from app.core.optimizers.hygiene import flaw
from app.ports.llm import ModelRef

MODEL = ModelRef("simulated/primary")
PARENT = Candidate("Classify the message about {{input}}.", "Reply with the label.", MODEL)
TRAIN = (
    Case("1", "My blue parcel has been stuck in the depot since last Monday morning", "order_tracking", "train"),
    Case("2", "Where is my refund", "the refund is on its way to your bank account now", "train"),
)
HIDDEN = (
    Case("7", "The courier left my package with a neighbour whom I do not know", "order_tracking", "validation"),
    Case("8", "Please call me back", "callback", "test"),
)


def check(system: str, output: str = "Reply with the label.", *, examples: bool = False, most: int = 2000) -> str:
    child = Proposal(system, output, "")
    return flaw(child, PARENT, train=TRAIN, hidden=HIDDEN, max_chars=most, examples_allowed=examples)


def test_a_sound_proposal_has_no_flaw() -> None:
    assert check("Classify {{input}} as order_tracking or refund_status.") == ""


@pytest.mark.parametrize(
    ("system", "output", "problem"),
    [
        ("", " \n", "both prompts are empty"),
        (PARENT.system_prompt, PARENT.output_prompt, "it is the same as its parent"),
        ("Classify.", "Reply.", "it lost the placeholder {{input}}"),
        ("{{input}} {{label}}", "Reply.", "it refers to {{label}}, which the current prompts do not have"),
        ("{{input}}" + "x" * 2000, "", "the prompts have 2,009 characters together; 2,000 are allowed"),
    ],
)
def test_flaws_of_form(system: str, output: str, problem: str) -> None:
    assert check(system, output) == problem


def test_a_placeholder_may_move() -> None:
    assert check("Classify.", "The message: {{ input }}") == ""


def test_train_text_is_not_copied() -> None:
    seven, eight = "parcel has been stuck in the depot", "parcel has been stuck in the depot since"
    assert check(f"{{{{input}}}} When it says: {seven}") == ""
    assert check(f"{{{{input}}}} When it says: {eight}") == "it copies train example 1 word for word"
    assert (
        check("{{input}} Answer: The refund, is on its WAY to your bank!") == "it copies train example 2 word for word"
    )


def test_train_text_may_stand_in_the_examples_block_of_a_strategy_that_adds_examples() -> None:
    with_block = with_examples(PARENT.system_prompt, TRAIN)
    assert check(with_block, examples=True) == ""
    assert check(with_block, examples=False) == "it copies train example 1 word for word"
    outside = f"{with_block}\n{TRAIN[0].input}"
    assert check(outside, examples=True) == "it copies train example 1 word for word"


@pytest.mark.parametrize("examples", [True, False])
def test_hidden_text_never_gets_in(examples: bool) -> None:
    problem = "it holds text of a validation example, which no prompt may know"
    assert check("{{input}} If the courier left my package with a neighbour, ...", examples=examples) == problem
    block = with_examples(PARENT.system_prompt, HIDDEN[:1])
    assert check(block, examples=examples) == problem


def test_a_short_hidden_text_is_not_quoted_whole() -> None:
    assert (
        check("{{input}} Example: Please call me back.") == "it holds text of a test example, which no prompt may know"
    )
    assert check("{{input}} Example: Please call me.") == ""


def test_what_the_parent_says_already_is_no_fault_of_the_child() -> None:
    parent = Candidate(f"Classify. {HIDDEN[0].input}. {TRAIN[0].input}.", "", MODEL)
    child = Proposal(f"{parent.system_prompt} Be precise.", "", "")
    assert flaw(child, parent, train=TRAIN, hidden=HIDDEN, max_chars=2000, examples_allowed=False) == ""


def test_text_that_train_has_too_is_not_hidden() -> None:
    same = Case("9", TRAIN[0].input, "order_tracking", "test")
    child = Proposal(with_examples(PARENT.system_prompt, TRAIN[:1]), "", "")
    assert flaw(child, PARENT, train=TRAIN, hidden=(same,), max_chars=2000, examples_allowed=True) == ""


def test_a_large_dataset_is_searched_quickly() -> None:
    words = random.Random(1)
    text = " ".join(f"w{words.randrange(5000)}" for _ in range(1000))
    train = [Case(str(i), text[i:] + text[:i], "label", "train") for i in range(2000)]
    leaked = " ".join(f"w{words.randrange(5000)}" for _ in range(1000))
    began = time.process_time()
    sound = Proposal("Classify {{input}} " + leaked, "", "")
    assert flaw(sound, PARENT, train=train, hidden=HIDDEN, max_chars=10**5, examples_allowed=False) == ""
    hidden = Case("9", leaked[2000:2200], "label", "validation")
    found = flaw(sound, PARENT, train=train, hidden=[hidden], max_chars=10**5, examples_allowed=False)
    assert "validation example" in found
    assert time.process_time() - began < 8
