"""One system message, one user message (the image if there is one, the input, then the output prompt), one reply."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.model import Ask, Candidate, Case, Response
from app.core.responders.seeing import unseen
from app.core.templates import placeholders, render
from app.ports.journal import CallResult, Outcome
from app.ports.llm import Image, Json, Message

PLACEHOLDERS = ("input",)
"""What a prompt may refer to as {{name}}."""

_OUTCOMES: dict[str, Outcome] = {"content_filtered": "refused", "timed_out": "timed_out"}
_FINISHES: dict[str, Outcome] = {"length": "truncated", "content_filter": "refused"}


def messages(candidate: Candidate, case: Case) -> list[Message]:
    """What is sent for a case."""
    images = (case.picture.image,) if case.picture and case.picture.image else ()
    return turns(candidate.system_prompt, candidate.output_prompt, {"input": case.input}, images)


def turns(
    system_prompt: str, output_prompt: str, values: Mapping[str, str], images: tuple[Image, ...] = ()
) -> list[Message]:
    """What a pair of prompts sends. values: of the placeholders; "input" must be among them. images: come with the input.

    The input comes first and the output prompt after it, unless a prompt says itself where {{input}} belongs.
    Raises: UnknownPlaceholder.
    """
    placed = "input" in placeholders(system_prompt) or "input" in placeholders(output_prompt)
    closing = render(output_prompt, values)
    user = closing if placed else "\n\n".join(part for part in (values["input"], closing) if part)
    system = render(system_prompt, values)
    first = [Message("system", system)] if system.strip() else []
    return [*first, Message("user", user, images)] if user.strip() or images else first


class SingleTurn:
    """The plainest responder: ask the candidate's model once."""

    @property
    def spec(self) -> Json:
        """See app.core.model.Responder."""
        return {"name": "single_turn"}

    async def respond(self, candidate: Candidate, case: Case, ask: Ask) -> Response:
        """See app.core.model.Responder."""
        if failure := unseen(candidate.model, case):
            return failure
        return read(await ask("primary", candidate.model, messages(candidate, case)))


def read(result: CallResult) -> Response:
    """What a call's result means for the sample: a text to score, or why there is none."""
    if result.error:
        return Response("", _OUTCOMES.get(result.error, "provider_error"), f"{result.error}: {result.text}")
    outcome = _FINISHES.get(result.finish_reason, "scored")
    reasons = {
        "truncated": "the answer hit the output token limit before it was finished",
        "refused": "the provider's content filter stopped the answer",
    }
    return Response(result.text, outcome, reasons.get(outcome, ""))
