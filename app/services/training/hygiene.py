"""What a person asks of every proposal (length, locked texts) and of the shortening, checked and pinned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.core.optimizers.length import Length
from app.core.optimizers.locks import missing, quoted, read_locked
from app.ports.llm import Json
from app.services.errors import Problem
from app.services.training.form import TrainingForm

MOST_TOLD = 5
"""Locked texts that are told at once to be missing."""


def pinned(form: TrainingForm, texts: Mapping[str, str]) -> dict[str, Json]:
    """This part of a spec. texts: the initial prompts by field."""
    return {
        "max_prompt_chars": form.max_prompt_chars,
        "max_prompt_tokens": form.max_prompt_tokens,
        "locked": read_locked(form.locked, texts["system_prompt"], texts["output_prompt"]),
        "shorten": form.shorten,
        "shorten_margin": form.shorten_margin,
        "shorten_answers": form.shorten_answers,
    }


def problems(form: TrainingForm, texts: Mapping[str, str], parts: Json) -> Iterator[Problem]:
    """What stands against it. parts: the split, None when there is none."""
    lengths = (
        ("max_prompt_tokens", Length(tokens=form.max_prompt_tokens)),
        ("max_prompt_chars", Length(chars=form.max_prompt_chars)),
    )
    for field, length in lengths:
        if excess := length.excess(*texts.values()):
            yield Problem(field, f"the initial prompts are longer than this already ({excess}); raise it")
    both = (texts["system_prompt"], texts["output_prompt"])
    for text in missing(read_locked(form.locked, *both), *both)[:MOST_TOLD]:
        yield Problem("locked", f"{quoted(text)} does not stand in the initial prompts; copy it from there exactly")
    if form.shorten == "offer" and parts and form.shorten_answers < (least := 2 * form.repeats * parts["validation"]):
        asked = f" that are asked {form.repeats} times" if form.repeats > 1 else ""
        told = f"at least {least} are needed with {parts['validation']} validation examples{asked}"
        yield Problem("shorten_answers", f"{told}: for one sentence left out, and for the shorter prompt as a whole")
