"""Replies as optimisers really give them."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.optimizers.reply import Malformed, read_object, read_text

KEYS = ("system_prompt", "output_prompt")
GOOD = {
    "system_prompt": 'Say "yes", or {no}.\n- one,\n- two,',
    "output_prompt": "",
    "reasoning": "It was, so to say, vague.",
}
PLAIN = json.dumps(GOOD)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        json.dumps(GOOD, indent=2),
        f"```json\n{PLAIN}\n```",
        f"```\n{PLAIN}\n```\nHope this helps!",
        f"Here is my proposal:\n\n{PLAIN}\n\nI changed {{two}} things.",
        f"I looked at {{the failures}} first.\n{PLAIN}",
        PLAIN[:-1] + ",}",
        PLAIN[:-1] + " ,\n }  trailing words",
        PLAIN.replace("\\n", "\n"),
        f"\ufeff  {PLAIN}".lstrip("\ufeff"),
    ],
)
def test_what_is_meant_is_read(text: str) -> None:
    assert read_object(text, KEYS) == GOOD


def test_commas_in_texts_survive_the_repair() -> None:
    text = '{"system_prompt": "a list: [1,2,] and {x,}", "output_prompt": "0", "edits": ["1",],}'
    assert read_object(text, KEYS) == {"system_prompt": "a list: [1,2,] and {x,}", "output_prompt": "0", "edits": ["1"]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is empty"),
        ("  \n", "it is empty"),
        ("I would rather not.", "no valid JSON object with system_prompt or output_prompt"),
        (PLAIN[:40], "no valid JSON object"),
        ('["system_prompt"]', "no valid JSON object"),
        ('{"something": "else"}', "no valid JSON object"),
        ("{" * 5000, "no valid JSON object"),
        ('{"a":' * 3000, "no valid JSON object"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, problem: str) -> None:
    with pytest.raises(Malformed, match=problem):
        read_object(text, KEYS)


def test_texts_must_be_texts() -> None:
    with pytest.raises(Malformed, match='"reasoning" must be a text, not int'):
        read_text({"reasoning": 3}, "reasoning")
    with pytest.raises(Malformed, match='"reasoning" is missing'):
        read_text({}, "reasoning")
    assert read_text({}, "reasoning", "none") == "none"


@given(st.text(max_size=500))
def test_junk_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(Malformed):
        assert isinstance(read_object(text, KEYS), dict)


@given(st.dictionaries(st.sampled_from(KEYS), st.text(), min_size=1), st.text(alphabet="abc .,\n"), st.text())
def test_an_object_is_found_between_words(found: dict[str, str], before: str, after: str) -> None:
    assert read_object(before + json.dumps(found) + after, KEYS) == found
