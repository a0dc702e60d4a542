"""An optimiser that can be computed by hand: it proposes, by a hash of what it is shown, something good, middling or bad.

It reads the failures (inputs and expected answers, in tags or as "Input: / Output:" lines) and the current system prompt (in a
<system_prompt> tag), and answers in the form that it is asked for: both prompts anew, or a list of edits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tests.fakes.rule_world import Lesson, draw, labels_in, pairs, stems

CURRENT = re.compile(r"<system_prompt(-\w+)?>\n(.*?)\n</system_prompt\1>", re.DOTALL)
FORM = "Return only the answer, nothing else."


def wants_proposal(messages: Sequence[Mapping[str, str]], schema: Any = None) -> bool:
    """Whether a request asks for new prompts instead of an answer."""
    text = "\n".join(m["content"] for m in messages)
    return '"reasoning"' in (json.dumps(schema) if schema else text) and ("system_prompt" in text or schema is not None)


def propose(messages: Sequence[Mapping[str, str]], *, junk: float = 0.0) -> str:
    """What the optimiser says. junk: share of requests answered with something that is no JSON (a second ask repairs it)."""
    text = "\n".join(m["content"] for m in messages)
    asked_again = any(m["role"] == "assistant" for m in messages)
    if not asked_again and draw(text, "junk") < junk:
        return "Here is my proposal: {system_prompt: be better, "
    shown = [(given, answer) for given, answer in pairs(text) if len(answer) < 200]
    current = CURRENT.search(text)
    lesson = Lesson.read(current[2] if current else text)
    named = labels_in(current[2]) if current else labels_in(text)
    labels = sorted({*named, *(answer for _, answer in shown if len(answer.split()) <= 3)})
    lines, why = _variant(
        int(draw(text, "variant") * 6), {label: lesson.words.get(label, set()) for label in labels}, shown
    )
    if '"edits"' in text:
        append = {"target": "system_prompt", "find": "", "replace": "", "append": lines}
        return json.dumps({"edits": [append], "reasoning": why}, ensure_ascii=False)
    return json.dumps({"system_prompt": lines, "output_prompt": FORM, "reasoning": why}, ensure_ascii=False)


def _variant(number: int, labels: Mapping[str, set[str]], shown: Sequence[tuple[str, str]]) -> tuple[str, str]:
    listed = f"Classify the input. Labels: {', '.join(labels)}." if labels else "Answer the question."
    if number <= 1:
        meanings = [f"- {label}: {', '.join(_typical(label, known, shown))}" for label, known in labels.items()]
        return "\n".join([listed, FORM, *meanings]), "The failures confuse labels; I define them."
    if number == 2:
        return f"{listed} Think step by step before you answer.", "The labels were not named."
    if number == 3:
        worked = [f"Input: {given}\nOutput: {answer}" for given, answer in shown[:4]]
        return "\n".join([listed, *worked]), "Worked examples show the format."
    if number == 4:
        return "Read the input with great attention and answer it well.", "A clearer tone may help."
    return "You are a creative and friendly companion. Elaborate at length.", "More warmth may help."


def _typical(label: str, known: set[str], shown: Sequence[tuple[str, str]]) -> list[str]:
    own = [stems(given) for given, answer in shown if answer == label]
    other = set().union(*(stems(given) for given, answer in shown if answer != label))
    words = known | set().union(*own) - other
    return sorted(words - stems(label))[:24] or sorted(stems(label))
