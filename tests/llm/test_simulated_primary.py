"""The simulated primary is as good as its prompt: each thing that a prompt can say changes what comes out."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from app.llm.simulated.brief import read
from app.llm.simulated.primary import parted, reply
from app.llm.simulated.words import concepts, stem, words
from app.llm.simulated.world import CONCEPTS
from app.ports.llm import Message

SAMPLES = Path(__file__).resolve().parents[2] / "data/samples"
BARE = "Reply with the label only."
DEFINED = """Sort the message.

Permitted labels:
- order_tracking: tracking a delivery that was ordered already
- delivery_estimate: an estimate of time, asked before ordering
- refund_status: a refund, the state of something
- return_request: a return
- charged_twice: a charge, something that happened twice
- payment_declined: a refusal of a payment
- login_problem: signing in
- account_change: a change of details of the customer's account"""

LISTED = re.sub(r"(- \w+):.*", r"\1", DEFINED)


def ask(system: str, text: str, output: str = "", seed: int = 0, temperature: float = 0.0) -> str:
    user = f"{text}\n\n{output}" if output else text
    return reply([Message("system", system), Message("user", user)], {"seed": seed, "temperature": temperature})


def rows(name: str) -> list[tuple[str, str]]:
    with (SAMPLES / name).open(encoding="utf-8", newline="") as file:
        return [(row[0], row[1]) for row in list(csv.reader(file))[1:]]


def accuracy(system: str, output: str, seed: int = 0) -> float:
    found = rows("support_intents.csv")
    return sum(ask(system, text, output, seed) == label for text, label in found) / len(found)


def test_the_better_the_prompt_the_better_the_answers() -> None:
    vague = accuracy("You are a support assistant. Classify the message.", "")
    listed = accuracy(LISTED, BARE)
    defined = accuracy(DEFINED, BARE)
    assert 0.15 < vague < 0.4
    assert vague + 0.15 < listed < 0.75
    assert listed + 0.05 < defined < 0.92


def test_without_a_form_the_answer_is_often_wrapped_in_chat() -> None:
    strict, asked, none = (accuracy(DEFINED, output) for output in (BARE, "Answer with the label.", ""))
    assert none + 0.1 < asked + 0.05 < strict


def test_examples_teach_labels_and_form() -> None:
    shown = [f"Input: {text}\nOutput: {label}" for text, label in rows("support_intents.csv")[:40]]
    rest = rows("support_intents.csv")[40:]
    system = "Sort the message.\n\n<examples>\n" + "\n\n".join(shown) + "\n</examples>"
    assert sum(ask(system, text) == label for text, label in rest) / len(rest) > 0.4


def test_a_rule_decides_and_a_wrong_rule_misleads() -> None:
    text = "I would like to send the jacket back, it is too small."
    assert ask(DEFINED, text, BARE) == "return_request"
    wrong = f'{DEFINED}\n\nRules:\n- When the text mentions "jacket", answer charged_twice.'
    assert ask(wrong, text, BARE) == "charged_twice"


def test_harm_is_possible() -> None:
    assert accuracy(DEFINED, "Explain your choice in a friendly sentence.") < 0.05


def test_the_seed_changes_the_luck_but_not_the_level() -> None:
    levels = [accuracy(DEFINED, BARE, seed) for seed in range(4)]
    assert len({ask(DEFINED, text, "", seed=s) for text, _ in rows("support_intents.csv")[:3] for s in range(9)}) > 6
    assert max(levels) - min(levels) < 0.12


def test_heat_adds_noise() -> None:
    found = rows("support_intents.csv")
    cold = [ask(DEFINED, text, BARE) for text, _ in found]
    hot = [ask(DEFINED, text, BARE, temperature=1.5) for text, _ in found]
    assert sum(a == label for a, (_, label) in zip(hot, found, strict=True)) < sum(
        a == label for a, (_, label) in zip(cold, found, strict=True)
    )


def test_options_are_answered_by_letter() -> None:
    question = "Which statement is sarcastic?\nOptions:\n(A) He is a generous person\n(B) He is a terrible person"
    assert ask("Decide.", question, "Reply with the letter only, in brackets, such as (A).") in ("(A)", "(B)")
    assert "(" not in ask("Decide.", question, "Reply with the letter only.", seed=5).strip("()")


def test_translation_needs_a_language_and_gets_better_by_what_is_asked() -> None:
    text = "Where is the house of my grandmother?"
    bare = "Reply with the translation only."
    assert ask("Translate the text into French.", text, bare) == "Où est le maison de mon grand-mère ?"
    assert ask("Translate the text into natural French.", text, bare) == "Où est la maison de ma grand-mère ?"
    assert ask("Translate the text into natural French.", "I am hungry!", bare) == "J'ai faim !"
    assert ask("Translate the text into German.", text, bare) == f"[german] {text}"
    glossary = "Translate the text into French.\n\nGlossary:\n- hammock: hamac"
    assert ask(glossary, "my hammock", bare) == "Mon hamac"
    shown = "Translate.\n\nInput: The moon.\nOutput: La lune.\n\nInput: A sea\nOutput: Une mer et le vent"
    assert ask(shown, "The moon.") == "La lune."
    assert {ask("You translate.", text, seed=seed) for seed in range(20)} > {text}, "unsaid, it may not even translate"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("- item\n- city", {"item": "mugs", "city": "Lyon"}),
        ("- item: in lower case, in the singular\n- city", {"item": "mug", "city": "Lyon"}),
        ("- quantity: a number\n- colour", {"quantity": 3, "colour": "blue"}),
        ("- price: a number, null when not said", {"price": None}),
        ("- day: a date as YYYY-MM-DD, in 2026 unless said otherwise", {"day": "2026-05-04"}),
    ],
)
def test_extraction_follows_the_fields(fields: str, expected: object) -> None:
    system = f"Extract the order.\n\nFields of the JSON object:\n{fields}"
    text = "Please send 3 blue mugs to Lyon by 4 May."
    assert json.loads(ask(system, text, "Reply with one JSON object only.")) == expected


def test_input_and_output_prompt_are_told_apart() -> None:
    assert parted("first\n\nsecond\n\nReply with the label only.\n\n- a") == (
        "first\n\nsecond",
        "Reply with the label only.\n\n- a",
    )
    assert parted("Return my parcel") == ("Return my parcel", "")


def test_what_a_prompt_says_is_read() -> None:
    brief = read(
        "Choose one of the following labels: red, green or blue.\n"
        "`urgent_case` means: a broken machine\n"
        "Permitted labels:\n1. `late`: too late\n* early — too soon\n- on time\n"
        "If the text mentions snow, then answer winter_tyres.\n"
        "Glossary:\n- bike: vélo\n"
        "Fields:\n- item: what was bought\n\n"
        "Input: one\nOutput: two\n\nReply with the label, nothing else."
    )
    assert brief.labels == {
        "red": "", "green": "", "blue": "", "urgent_case": "a broken machine", "late": "too late", "early": "too soon",
        "on time": "",
    }  # fmt: skip
    assert brief.rules == (("snow", "winter_tyres"),)
    assert (brief.glossary, brief.fields) == ({"bike": "vélo"}, {"item": "what was bought"})
    assert brief.examples == (("one", "two"),)
    assert brief.form == "strict"


@pytest.mark.parametrize(
    "text", ["Classify the text as positive, negative or neutral.", "Answer either positive or negative"]
)
def test_labels_in_a_sentence_are_found(text: str) -> None:
    assert {"positive", "negative"} <= set(read(text).labels)


def test_every_concept_is_recognised_by_its_own_name() -> None:
    """The optimiser writes concepts by name; the primary must understand them."""
    assert all(name in concepts(f"it is about {name}, mostly") for name in CONCEPTS)


def test_words_and_stems() -> None:
    assert words("Card_payment, don’t  RE-ENTER é") == ["card", "payment", "don't", "re-enter", "é"]
    assert [stem(word) for word in ("charged", "charges", "activation", "bus", "ordering")] == [
        "charg", "charg", "activ", "bus", "order",
    ]  # fmt: skip
