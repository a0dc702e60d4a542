"""What a person has locked, no proposal may touch; and length is counted in tokens as well."""

from __future__ import annotations

import pytest

from app.core.model import Candidate, Case
from app.core.optimizers import Evidence, Proposal
from app.core.optimizers.examples import with_examples
from app.core.optimizers.hygiene import flaw
from app.core.optimizers.length import NO_LIMIT, Length
from app.core.optimizers.locks import missing, read_locked
from app.core.optimizers.merge import merged
from app.core.optimizers.request import opening
from app.core.optimizers.targeted_edit import TargetedEdit
from app.ports.llm import ModelRef
from tests.core.optimizers.evidence_world import ScriptedAsk, evidence

LEGAL = "Never give legal advice."
FORM = 'Reply with JSON:\n{\n  "label": "..."\n}'
L, F = f'"{LEGAL}"', '"Reply with JSON: { "label": "..." }"'
PARENT = Candidate(f"Classify the message. {LEGAL}\nBe brief.", FORM, ModelRef("simulated/primary"))
SHOWN = (Case("1", "Is this legal? Never give legal advice.", "law", "train"),)


def check(system: str, output: str = FORM, *, parent: Candidate = PARENT, **changes: object) -> str:
    settings = {"train": (), "hidden": (), "max_chars": None, "locked": (LEGAL, FORM), "examples_allowed": True}
    return flaw(Proposal(system, output, ""), parent, **settings | changes)  # type: ignore[arg-type]


def test_everything_around_a_locked_text_may_change() -> None:
    assert check(f"{LEGAL} Sort it.", f"{FORM}\nNothing else.") == ""


@pytest.mark.parametrize(
    ("system", "output", "problem"),
    [
        ("Sort it.", FORM, f"it lost or changed the locked text {L} of the system prompt"),
        ("Never give any legal advice.", FORM, f"it lost or changed the locked text {L} of the system prompt"),
        ("never give legal advice.", FORM, f"it lost or changed the locked text {L} of the system prompt"),
        (f"{LEGAL} {LEGAL}", FORM, f"it repeats the locked text {L} in the system prompt"),
        (LEGAL, f"{FORM} {LEGAL}", f"it repeats the locked text {L} in the output prompt"),
        ("Sort it.", f"{FORM} {LEGAL}", f"it moved the locked text {L} from the system prompt to the output prompt"),
        (f"{LEGAL} {FORM}", "Reply.", f"it moved the locked text {F} from the output prompt to the system prompt"),
        (LEGAL, FORM.replace("  ", " "), f"it lost or changed the locked text {F} of the output prompt"),
    ],
)  # fmt: skip
def test_a_lost_changed_repeated_or_moved_text_is_a_flaw(system: str, output: str, problem: str) -> None:
    assert check(system, output) == problem


def test_examples_come_and_go_whatever_they_say() -> None:
    with_block = with_examples(PARENT.system_prompt, SHOWN)
    assert check(with_block, train=SHOWN) == ""
    inside = Candidate(with_examples("Classify.", SHOWN), "", PARENT.model)
    assert check("Sort it.", "", parent=inside, locked=(LEGAL,)).startswith("it lost or changed the locked text")
    assert check(inside.system_prompt + " ", "", parent=inside, locked=(LEGAL,)) == ""


def test_mergers_and_crossovers_are_held_to_it_too() -> None:
    """Two sound children whose changes together repeat what is locked."""
    children = [Candidate(f"{PARENT.system_prompt}\n{line}", FORM, PARENT.model) for line in ("Be kind.", "Be exact.")]
    assert check(*merged(PARENT, children)) == ""
    moved = Candidate(f"Classify the message.\nBe brief.\n{LEGAL}", FORM, PARENT.model)
    beside = Candidate(PARENT.system_prompt + f"\nAbove all: {LEGAL[:-1]}!", FORM, PARENT.model)
    both = merged(PARENT, [moved, beside])
    assert both[0].count(LEGAL) == 1 or "locked" in check(*both)


def test_a_merger_of_harmless_changes_is_searched_for_hidden_text_too() -> None:
    hidden = Case("7", "The courier left my package with a neighbour whom I do not know", "tracking", "test")
    halves = ("Think of how the courier left my", "package with a neighbour whom nobody met.")
    children = [Candidate(f"{PARENT.system_prompt}\n{half}", FORM, PARENT.model) for half in halves]
    for child in children:
        assert check(child.system_prompt, child.output_prompt, hidden=(hidden,)) == ""
    problem = "it holds text of a test example, which no prompt may know"
    assert check(*merged(PARENT, children), hidden=(hidden,)) == problem


def test_texts_are_parted_by_blank_lines_and_lines_that_stand_together_stay_together() -> None:
    system, output = PARENT.system_prompt, PARENT.output_prompt
    assert read_locked(f"{LEGAL}\n\n{FORM}\n", system, output) == [LEGAL, FORM]
    assert read_locked(f"Be brief.\n{LEGAL}", system, output) == ["Be brief.", LEGAL]
    assert read_locked(f" {LEGAL} \n \n\n {LEGAL}", system, output) == [LEGAL]
    assert read_locked(" \n ", system, output) == []
    assert missing([LEGAL, "Be long."], system, output) == ["Be long."]


def test_what_was_read_once_is_read_the_same_again() -> None:
    system, output = PARENT.system_prompt, PARENT.output_prompt
    first = read_locked(f"Be brief.\n{LEGAL}\n\n{FORM}", system, output)
    assert read_locked("\n\n".join(first), system, output) == first


def request(seen: Evidence) -> str:
    return opening(seen, approach="", reply_format="")[1].content


def test_the_optimiser_is_told_what_is_locked_and_where() -> None:
    seen = evidence(parent=PARENT, locked=(LEGAL, FORM))
    text = request(seen)
    assert "thrown away" in text
    place = text.index("In the system prompt:\n<locked-")
    assert LEGAL in text[place : place + 80]
    assert f"\n{FORM}\n</locked-" in text[text.index("In the output prompt:\n<locked-") :]
    assert "locked" not in request(evidence(parent=PARENT))


async def test_a_request_with_locked_texts_is_answered_like_any_other() -> None:
    reply = '{"edits": [{"target": "system_prompt", "find": "Be brief.", "replace": "Be exact."}], "reasoning": "why"}'
    seen = evidence("targeted_edit", parent=PARENT, locked=(LEGAL,))
    (proposal,) = await TargetedEdit().propose(seen, ScriptedAsk(reply))
    assert check(proposal.system_prompt, proposal.output_prompt) == ""


@pytest.mark.parametrize(
    ("text", "tokens", "problem"),
    [
        ("x" * 400, 100, ""),
        ("x" * 401, 100, "the prompts have about 101 tokens together; 100 are allowed"),
        ("é" * 200, 100, ""),
        ("日" * 140, 100, "the prompts have about 105 tokens together; 100 are allowed"),
    ],
)
def test_length_is_estimated_in_tokens(text: str, tokens: int, problem: str) -> None:
    assert check(text, "", locked=(), max_tokens=tokens) == problem


def test_within_the_room_both_limits_are_kept() -> None:
    for length in (Length(chars=500), Length(tokens=90), Length(chars=300, tokens=90), Length(chars=900, tokens=90)):
        for sign in ("x", "é", "日"):
            count = length.room // length.size(sign)
            assert length.excess(sign * (count - count // 3), sign * (count // 3)) == ""
    assert Length().room == NO_LIMIT
    assert Length(tokens=3000).words == "12,000 characters (about 3,000 tokens)"
    assert Length(chars=3000).words == "3,000 characters"


def test_the_optimiser_is_told_the_length_in_both() -> None:
    assert "at most 8,000 characters (about 2,000 tokens)" in request(
        evidence(max_prompt_chars=None, max_prompt_tokens=2000)
    )
