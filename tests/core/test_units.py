"""A prompt is cut where it can be taken apart, and put together again without what was left out."""

from __future__ import annotations

import random

import pytest

from app.core.units import cut, without

PROMPT = """You are a helper, e.g. for Bob. Read the message
carefully before you answer. Say "Yes." Be brief!

Permitted labels:
- a: one
  more about a
- b: two
1. First. Second.

```json
{"a": 1}

{"b": 2}
```
{
  "k": [1]
}
| a | b |
|---|---|
Use {{input}}.
<rules>
Never lie. Or do.
</rules>

<examples>
Input: x
Output: y

Input: z

more of z
Output: w
</examples>"""


def test_sentences_items_blocks_and_examples_are_units() -> None:
    units = cut("system_prompt", PROMPT, ["Be brief!"])
    assert [(unit.kind, unit.text) for unit in units] == [
        ("sentence", "You are a helper, e.g. for Bob."),
        ("sentence", "Read the message\ncarefully before you answer."),
        ("sentence", 'Say "Yes."'),
        ("sentence", "Be brief!"),
        ("heading", "Permitted labels:"),
        ("item", "- a: one\n  more about a"),
        ("item", "- b: two"),
        ("item", "1. First. Second."),
        ("block", '```json\n{"a": 1}\n\n{"b": 2}\n```'),
        ("block", '{\n  "k": [1]\n}'),
        ("block", "| a | b |\n|---|---|"),
        ("sentence", "Use {{input}}."),
        ("tag", "<rules>"),
        ("sentence", "Never lie."),
        ("sentence", "Or do."),
        ("tag", "</rules>"),
        ("example", "Input: x\nOutput: y"),
        ("example", "Input: z\n\nmore of z\nOutput: w"),
    ]
    assert {unit.text: unit.fixed for unit in units if unit.fixed} == {
        "Be brief!": "it is locked",
        "Use {{input}}.": "it holds the placeholder {{input}}",
        "<rules>": "it marks a section",
        "</rules>": "it marks a section",
    }


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two? Three!", ["One.", "Two?", "Three!"]),
        ("Use 3.5, i.e. Both of them. 2 more.", ["Use 3.5, i.e. Both of them.", "2 more."]),
        ("First line\nSecond line", ["First line", "Second line"]),
        ("a line that\nwas wrapped", ["a line that\nwas wrapped"]),
        ("これは文です。次の文です。", ["これは文です。", "次の文です。"]),
        ("", []),
        (" \n\n ", []),
        ("   leading", ["leading"]),
    ],
)
def test_where_sentences_end(text: str, parts: list[str]) -> None:
    assert [unit.text for unit in cut("output_prompt", text)] == parts


def test_a_locked_text_over_several_sentences_holds_them_all() -> None:
    units = cut("system_prompt", "One. Two.\nThree. Four.", ["Two.\nThree."])
    assert [bool(unit.fixed) for unit in units] == [False, True, True, False]


def test_what_is_left_keeps_its_order_and_its_paragraphs() -> None:
    units = cut("system_prompt", PROMPT)
    assert without(PROMPT, units, set()) == PROMPT
    assert without(PROMPT, units, set(range(4))).startswith("Permitted labels:\n- a: one")
    assert without(PROMPT, units, {3, 4}).startswith(
        'You are a helper, e.g. for Bob. Read the message\ncarefully before you answer. Say "Yes."\n\n- a: one'
    )
    assert without(PROMPT, units, {16}).endswith(
        "</rules>\n\n<examples>\nInput: z\n\nmore of z\nOutput: w\n</examples>"
    )
    assert without(PROMPT, units, {16, 17}).endswith("Or do.\n</rules>")
    assert without(PROMPT, units, set(range(len(units)))) == ""


def test_any_part_of_it_is_cut_into_the_same_units_again() -> None:
    units, dice = cut("system_prompt", PROMPT), random.Random(1)
    for _ in range(200):
        dropped = {place for place, unit in enumerate(units) if not unit.fixed and dice.random() < 0.5}
        left = without(PROMPT, units, dropped)
        assert [unit.text for unit in cut("system_prompt", left)] == [
            unit.text for place, unit in enumerate(units) if place not in dropped
        ]


@pytest.mark.parametrize("line", ["{", "- item", "One. ", "```", "| a |", "text", "<a>", "No end: "])
def test_a_huge_prompt_is_cut_in_one_pass(line: str) -> None:
    prompt = f"{line}\n" * 20_000
    units = cut("system_prompt", prompt, ["e", "{"])
    assert without(prompt, units, {0}).strip() in ("", prompt.strip()[len(units[0].text) :].strip())
