"""A proposal is checked before a rollout is spent: length, locked texts, placeholders, novelty, and that it copies no data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from app.core.model import Candidate, Case
from app.core.optimizers.base import Proposal
from app.core.optimizers.examples import without_examples
from app.core.optimizers.length import Length
from app.core.optimizers.locks import lock_flaw
from app.core.templates import placeholders

RUN = 8
"""So many words in a row are copied, not coincidence."""
SHORT = 4
"""A hidden text of fewer words than RUN, but at least this many, must not be quoted whole either."""

_WORD = re.compile(r"\w+")
Words: TypeAlias = tuple[str, ...]


def flaw(
    child: Proposal,
    parent: Candidate,
    *,
    train: Sequence[Case],
    hidden: Sequence[Case],
    max_chars: int | None,
    max_tokens: int | None = None,
    locked: Sequence[str] = (),
    examples_allowed: bool,
) -> str:
    """What makes a proposal unfit to be tried, in a sentence; "" when nothing does.

    train: the split that strategies see. hidden: validation and test. max_chars, max_tokens: for both prompts together; None is
    no limit. locked: texts that must stay as and where the parent has them.
    examples_allowed: whether train text may stand word for word in the examples block.
    """
    before, after = (parent.system_prompt, parent.output_prompt), (child.system_prompt, child.output_prompt)
    if not any(text.strip() for text in after):
        return "both prompts are empty"
    if after == before:
        return "it is the same as its parent"
    return (
        Length(max_chars, max_tokens).excess(*after)
        or lock_flaw(locked, parent, child)
        or _placeholder_flaw(before, after)
        or _leak(before, after, train, hidden, examples_allowed)
    )


def _placeholder_flaw(before: Iterable[str], after: Iterable[str]) -> str:
    old, new = ({name for text in texts for name in placeholders(text)} for texts in (before, after))
    if lost := sorted(old - new):
        return f"it lost the placeholder {{{{{lost[0]}}}}}"
    if invented := sorted(new - old):
        return f"it refers to {{{{{invented[0]}}}}}, which the current prompts do not have"
    return ""


def _leak(
    before: Iterable[str], after: Iterable[str], train: Sequence[Case], hidden: Sequence[Case], examples_allowed: bool
) -> str:
    """Runs of words that the parent has already are no fault of the child; nor is hidden text that train has too."""
    known, copied = _runs(before), _runs(after)
    fresh = _Fresh(copied - known)
    shared: set[Words] = set()
    plain = (_runs(without_examples(text) for text in after) if examples_allowed else copied) - known
    for case in train:
        runs = {run for text in (case.input, case.reference) for run in fresh.within(_words(text))}
        if any(len(run) == RUN and run in plain for run in runs):
            return f"it copies train example {case.id} word for word"
        shared |= runs
    for case in hidden:
        if any(run not in shared for run in _telling(case, fresh)):
            return f"it holds text of a {case.split or 'hidden'} example, which no prompt may know"
    return ""


class _Fresh:
    """The runs of words that a child brings in. Looking up first words alone passes over most of a large dataset."""

    def __init__(self, runs: set[Words]) -> None:
        self._runs = runs
        self._first = {run[0] for run in runs}

    def within(self, words: Words) -> Iterator[Words]:
        """Those that a text has too."""
        for i, word in enumerate(words):
            if word in self._first:
                for end in range(i + SHORT, min(i + RUN, len(words)) + 1):
                    if (run := words[i:end]) in self._runs:
                        yield run


def _telling(case: Case, fresh: _Fresh) -> Iterator[Words]:
    """The fresh runs by which a case would be recognised: long ones, and short texts as a whole."""
    for text in (case.input, case.reference):
        words = _words(text)
        yield from (run for run in fresh.within(words) if len(run) in (RUN, len(words)))


def _runs(texts: Iterable[str]) -> set[Words]:
    """Every run of SHORT to RUN words."""
    return {run for text in texts for size in range(SHORT, RUN + 1) for run in _windows(_words(text), size)}


def _windows(words: Words, size: int) -> Iterator[Words]:
    return (words[i : i + size] for i in range(len(words) - size + 1))


def _words(text: str) -> Words:
    return tuple(_WORD.findall(text.casefold()))
