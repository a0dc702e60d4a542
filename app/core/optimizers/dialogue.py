"""An optimiser gets one chance to mend an unusable reply; then the epoch goes on without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from app.core.fence import clip
from app.core.model import Ask
from app.core.optimizers.reply import Malformed
from app.ports.llm import Json, Message, ModelRef

T = TypeVar("T")

_ECHO_CAP = 8_000
"""Most characters of an unusable reply that are sent back with the complaint."""


async def converse(
    ask: Ask, model: ModelRef, messages: Sequence[Message], schema: Json, read: Callable[[str, bool], T]
) -> T | None:
    """What the optimiser replied, read; None when it stayed unusable after the repair turn, or the call failed.

    read: gets the reply's text and whether this is the last chance; raises Malformed with what to mend.
    """
    turns = list(messages)
    for last in (False, True):
        result = await ask("optimizer", model, turns, schema)
        if result.error:
            return None
        try:
            return read(result.text, last)
        except Malformed as problem:
            cut = " It was cut off at the token limit: be shorter." if result.finish_reason == "length" else ""
            complaint = (
                f"Your reply could not be used: {problem}.{cut}\nReply again, with the JSON object and nothing else."
            )
            turns = [*messages, Message("assistant", clip(result.text, _ECHO_CAP)), Message("user", complaint)]
    return None
