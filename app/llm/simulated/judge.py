"""simulated/judge: compares the words of an answer with those of the reference, and now and then says it unreadably."""

from __future__ import annotations

import json
from collections.abc import Sequence

from app.llm.simulated.chance import chance
from app.llm.simulated.reviewer import reply as review
from app.llm.simulated.study import FENCED
from app.llm.simulated.words import words
from app.ports.llm import Json, Message

_GARBLED = 0.03
"""How often the first reply is one that nobody can use; the second never is."""
_STEPS = ((0.6, 4), (0.35, 3), (0.1, 2))
"""Grades by the least share of the words that the two texts have in common."""


def reply(messages: Sequence[Message], params: dict[str, Json], schema: Json = None) -> str:
    """The judge's reply to a chat; the same request always gets the same one. schema: of the reply, if one is asked for."""
    if isinstance(schema, dict) and "rankings" in schema.get("properties", {}):
        return review(messages, params, schema)
    asked = next((m.content for m in messages if m.role == "user"), "")
    texts = {match[1]: match[3] for match in reversed(list(FENCED.finditer(asked)))}
    mends = any(m.role == "assistant" for m in messages)
    if not mends and chance(params.get("seed", 0), asked, "garbled") < _GARBLED:
        return "A fair answer, I would say, though one could see it in another way."
    score, why = _grade(texts.get("reference", ""), texts.get("response", ""))
    return json.dumps({"explanation": why, "score": score})


def _grade(reference: str, answer: str) -> tuple[int, str]:
    expected, got = words(reference), words(answer)
    if expected == got:
        return 5, "The answer is the reference answer."
    common = len(set(expected) & set(got))
    share = 2 * common / max(1, len(set(expected)) + len(set(got)))
    missing = [word for word in expected if word not in got]
    if expected and not missing:
        return 4 if share >= _STEPS[1][0] else 3, "The answer holds the reference answer, with more around it."
    grade = next((grade for least, grade in _STEPS if share >= least), 1)
    return grade, f"The answer lacks: {', '.join(dict.fromkeys(missing[:5])) or 'nothing, but says something else'}."
