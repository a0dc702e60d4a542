"""simulated/optimizer: mostly learns from the failures; sometimes says nothing new, harms the prompts, or garbles its reply."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from app.llm.simulated.chance import chance, pick
from app.llm.simulated.drafts import Draft, as_edits, as_rewrite
from app.llm.simulated.lessons import Lesson, learn
from app.llm.simulated.study import Study, study
from app.llm.simulated.words import stems
from app.ports.llm import Json, Message

Mood: TypeAlias = Literal["able", "timid", "forgetful", "hasty", "garbled"]

MOODS: tuple[tuple[Mood, float], ...] = (
    ("able", 0.62),
    ("timid", 0.08),
    ("forgetful", 0.08),
    ("hasty", 0.1),
    ("garbled", 0.12),
)
"""How often each happens: a good proposal, one that says nothing, one that spoils the form of the answer, one with a rule made
from a single word, a reply that cannot be read."""
_MENDED = 0.7
"""How often a second try is readable."""

_PLATITUDES = (
    "Read the text carefully before you answer.",
    "Think about what the writer really means.",
    "Be precise and consistent.",
    "Take a deep breath and work with care.",
)


def reply(messages: Sequence[Message], params: dict[str, Json], schema: Json) -> str:
    """The optimiser's reply to a chat; the same request always gets the same one."""
    luck = (params.get("seed", 0), params.get("temperature", 0), *(f"{m.role}:{m.content}" for m in messages))
    found = study(messages, schema)
    if found is None:
        return json.dumps({"reasoning": "The request shows no prompts with failures, so there is nothing to improve."})
    mood = _mood(found, luck)
    lesson = learn(found)
    draft = _spoiled(found, lesson, mood, luck)
    content = as_edits(found, draft) if found.edits else as_rewrite(found, draft)
    text = json.dumps(content, ensure_ascii=False, indent=2)
    if mood == "garbled":
        return _garbled(text, found, luck)
    return pick((text, text, f"```json\n{text}\n```", f"Here is my proposal:\n\n{text}"), *luck, "wrapping")


def _mood(found: Study, luck: tuple[object, ...]) -> Mood:
    if found.mends:
        return "able" if chance(*luck, "mood") < _MENDED else "garbled"
    thrown = chance(*luck, "mood")
    for mood, share in MOODS:
        if thrown < share:
            return mood
        thrown -= share
    return "able"


def _spoiled(found: Study, lesson: Lesson, mood: Mood, luck: tuple[object, ...]) -> Draft:
    """The lesson as a draft, or what a mood makes of it."""
    if mood == "timid":
        line = pick(_PLATITUDES, *luck, "platitude")
        return Draft(Lesson(lesson.heading, "", advice=[line]), "The model seems to be careless; I ask for more care.")
    if mood == "forgetful":
        form = "Explain your choice in a friendly sentence."
        return Draft(Lesson(lesson.heading, form), "A short explanation should make the model think first.")
    if mood == "hasty":
        return _hasty(found, lesson, luck)
    why = " ".join(lesson.why) or "I tighten the wording where the failures point."
    return Draft(lesson, why)


def _hasty(found: Study, lesson: Lesson, luck: tuple[object, ...]) -> Draft:
    """A rule from one word of one failure. It repairs that one, and breaks others that have the word too."""
    row = pick(found.failures, *luck, "row")
    cues = sorted(stems(row.input), key=lambda cue: (-sum(cue in stems(r.input) for r in found.rows), cue)) or ["the"]
    rule = Lesson(lesson.heading, "", advice=[f'When the text mentions "{cues[0]}", answer {row.expected}.'])
    if found.kind in ("json", "text"):
        rule = Lesson(lesson.heading, "Answer in one polite sentence.", advice=["Explain your result."])
    return Draft(rule, f"One failure mentions “{cues[0]}”, so I make that a rule.")


@dataclass(frozen=True)
class _Broken:
    text: str

    def torn(self) -> str:
        return self.text[: len(self.text) * 2 // 3]

    def unquoted(self) -> str:
        return re.sub(r'": "', '": ', self.text)

    def prose(self) -> str:
        return "I would first look at the failures, then make the instructions clearer, and then test again."


def _garbled(text: str, found: Study, luck: tuple[object, ...]) -> str:
    """A reply as models really spoil them: cut off, without quotes, only prose, or edits of text that is not there."""
    broken = _Broken(text)
    if found.edits and chance(*luck, "misquoted") < 0.5:
        edit = {"target": "system_prompt", "find": "the instructions given above", "replace": "the rules below"}
        return json.dumps({"edits": [edit], "reasoning": "I make the wording clearer."})
    return pick((broken.torn, broken.unquoted, broken.prose), *luck, "garbling")()
