"""Few-shot examples stand in one block at the end of the system prompt, so that they can be found and replaced."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.core.model import Case
from app.core.templates import placeholders

OPEN, CLOSE = "<examples>", "</examples>"
_BLOCK = re.compile(rf"\s*{OPEN}\n(?:(?!{OPEN}).)*\n{CLOSE}\s*\Z", re.DOTALL)


def parted(prompt: str) -> tuple[str, str]:
    """The prompt without its examples block, and the block; "" when it has none."""
    block = _BLOCK.search(prompt)
    return (prompt[: block.start()], prompt[block.start() :]) if block else (prompt, "")


def without_examples(prompt: str) -> str:
    """The prompt without its examples block."""
    return parted(prompt)[0]


def with_examples(prompt: str, cases: Iterable[Case]) -> str:
    """The prompt with these examples instead of those that it had."""
    shown = "\n\n".join(as_example(case) for case in cases)
    head = without_examples(prompt)
    return f"{head}\n\n{OPEN}\n{shown}\n{CLOSE}".lstrip()


def shown_in(prompt: str, cases: Iterable[Case]) -> list[Case]:
    """Those of the cases that stand in the prompt's examples block, in the order of the block."""
    block = parted(prompt)[1]
    places = {case: block.find(f"{as_example(case)}\n") for case in cases} if block else {}
    return sorted((case for case, place in places.items() if place >= 0), key=lambda case: places[case])


def like(parent: str, child: str) -> str:
    """The child with the parent's examples block, unless it brings its own."""
    return child if parted(child)[1] else child.rstrip() + parted(parent)[1]


def as_example(case: Case) -> str:
    """One example as it stands in the block."""
    return f"Input: {case.input}\nOutput: {case.reference}"


def fit_for_example(case: Case) -> bool:
    """Whether a case can be shown: it is all text, has an answer, and nothing in it would be taken for a part of the prompt."""
    if case.picture:
        return False
    text = as_example(case)
    return bool(case.reference.strip()) and not placeholders(text) and OPEN not in text and CLOSE not in text
