"""simulated/writer: free text on whatever it is asked, better or worse by its skill, for benchmarks to compare.

A skilled one takes up more of what the request says, in a clear form; an unskilled one says little, and of something else.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.llm.simulated.chance import Dice, chance
from app.llm.simulated.words import words
from app.llm.simulated.world import STOP_WORDS
from app.ports.llm import Json, Message

USUAL = 0.6
"""Skill of one that names none."""
MOST = 7
"""Points that the most skilled one makes."""
_POINTS = (
    "Begin with {topic}: it decides how the rest is read.",
    "Say plainly what {topic} means here, with one example.",
    "Weigh {topic} against what it costs, and name the price.",
    "Keep {topic} short; whoever needs more can ask for it.",
    "Show {topic} step by step, in the order in which it happens.",
    "Name what is not known about {topic}, instead of guessing.",
    "Close with {topic}, so that it is remembered.",
)
_FILLER = (
    "There are many sides to this, and all of them matter in their own way.",
    "It depends on the circumstances, as so often.",
    "Generally speaking, one should do what is best.",
    "This is a broad field, about which much has been written.",
    "In the end everybody has to decide alone.",
)


def reply(messages: Sequence[Message], params: dict[str, Json]) -> str:
    """The reply to a chat. params: skill, temperature and seed count; the same arguments always give the same text."""
    asked = "\n\n".join(m.content for m in messages if m.role == "user")
    skill = params.get("skill", USUAL)
    skill = float(skill) if isinstance(skill, int | float) else USUAL
    dice = Dice(params.get("seed", 0), str(skill), asked, float(params.get("temperature") or 0.0))
    form = min(1.0, max(0.0, skill + 0.4 * (dice.of_call("form") - 0.5)))
    return _written(topics(asked), form, dice)


def topics(text: str) -> list[str]:
    """What a text is about: its longer words that carry meaning, each once, in order."""
    found = [word for word in words(text) if len(word) > 3 and word not in STOP_WORDS]
    return list(dict.fromkeys(found)) or ["the question"]


def _written(about: Sequence[str], form: float, dice: Dice) -> str:
    """form: how well it comes out this time, in [0, 1]."""
    count = 1 + round(form * (MOST - 1))
    chosen = sorted(about, key=lambda topic: chance(dice.text, topic))[:count]
    lines = [_line(place, topic, form, dice) for place, topic in enumerate(chosen)]
    if form < 0.5:
        return " ".join(lines)
    head = f"**In short:** it comes down to {chosen[0]}" + (f" and {chosen[1]}." if len(chosen) > 1 else ".")
    return "\n".join([head, "", *(f"{place}. {line}" for place, line in enumerate(lines, start=1))])


def _line(place: int, topic: str, form: float, dice: Dice) -> str:
    if dice.of_call(f"filler {place}") > form + 0.25:
        return _FILLER[int(dice.of_call(f"which {place}") * len(_FILLER))]
    shown = f"**{topic}**" if form >= 0.5 else topic
    return _POINTS[place % len(_POINTS)].format(topic=shown)
