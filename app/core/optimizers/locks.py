"""Locked texts: what a person has marked in the prompts stays there, word for word, as often as it stood there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.core.model import Candidate
from app.core.optimizers.base import Proposal
from app.core.optimizers.examples import parted

_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_NAMED = {"system_prompt": "system prompt", "output_prompt": "output prompt"}
_SHOWN = 60


def read_locked(given: str, system_prompt: str, output_prompt: str) -> list[str]:
    """The texts to lock, each once, in the order given.

    Blank lines part them. Lines without a blank line between them are one text where they stand together in a prompt, else each
    line is one. A text that does not occur in the prompts is returned too: see missing().
    """
    found: list[str] = []
    for part in _BLANK_LINES.split(given.strip()):
        text = part.strip()
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        together = any(text in prompt for prompt in (system_prompt, output_prompt))
        found += [text] if together and text else lines
    return list(dict.fromkeys(found))


def missing(locked: Sequence[str], system_prompt: str, output_prompt: str) -> list[str]:
    """Those that stand in neither prompt."""
    return [text for text in locked if text not in system_prompt and text not in output_prompt]


def lock_flaw(locked: Sequence[str], parent: Candidate, child: Proposal) -> str:
    """What a proposal did to a locked text, in a sentence; "" when all are where the parent has them.

    Examples come and go, so what happens to hold a locked text in their block does not count, unless it stands there alone.
    """
    for text in locked:
        before = {name: parted(getattr(parent, name))[0].count(text) for name in _NAMED}
        if not any(before.values()):
            if not any(text in getattr(child, name) for name in _NAMED):
                return f"it lost or changed the locked text {quoted(text)}"
            continue
        after = {name: parted(getattr(child, name))[0].count(text) for name in _NAMED}
        lost = next((name for name in _NAMED if after[name] < before[name]), "")
        gained = next((name for name in _NAMED if after[name] > before[name]), "")
        if lost and gained:
            return f"it moved the locked text {quoted(text)} from the {_NAMED[lost]} to the {_NAMED[gained]}"
        if lost:
            return f"it lost or changed the locked text {quoted(text)} of the {_NAMED[lost]}"
        if gained:
            return f"it repeats the locked text {quoted(text)} in the {_NAMED[gained]}"
    return ""


def quoted(text: str) -> str:
    """A text as messages name it."""
    line = " ".join(text.split())
    return f'"{line}"' if len(line) <= _SHOWN else f'"{line[: _SHOWN - 1]}…"'
