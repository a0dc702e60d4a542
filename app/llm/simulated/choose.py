"""Multiple choice: the option that has most of what the prompt says to look for, else a guess."""

from __future__ import annotations

import re

from app.llm.simulated.brief import Brief
from app.llm.simulated.chance import Dice
from app.llm.simulated.words import stems

_OPTION = re.compile(r"^\s*\(?([A-Z])[).]\s+(.+)$", re.MULTILINE)


def options(text: str) -> dict[str, str]:
    """The options of a question, letter -> text; none when there are fewer than two."""
    found = dict(_OPTION.findall(text))
    return found if len(found) >= 2 else {}


def answer(options_: dict[str, str], brief: Brief, dice: Dice) -> str:
    """The chosen letter, in brackets when the prompt or its examples have it so."""
    cues = stems(" ".join([cue for cue, _ in brief.rules] + list(brief.labels.values()) + [brief.text]))
    worth = {
        letter: len(cues & stems(text)) + 2.0 * dice.of_input(f"option {letter}") for letter, text in options_.items()
    }
    best = max(worth, key=lambda letter: worth[letter])
    bracketed = brief.says(r"\([A-Z]\)") or any(re.fullmatch(r"\([A-Z]\)", output) for _, output in brief.examples)
    return f"({best})" if bracketed or dice.of_input("brackets") < 0.6 else best
