"""The simulated judge grades by words, and stays deterministic."""

from __future__ import annotations

import pytest

from app.core.model import Case, Response
from app.core.scorers import NO_TOOLS, build
from app.llm.simulated import SimulatedLLM
from app.ports.journal import CallResult
from app.ports.llm import Message, ModelRef, Request
from tests.core.scorers.test_rubric import TEMPLATE

JUDGE = ModelRef("simulated/judge", {"temperature": 0.0, "max_output_tokens": 500})


async def judged(reference: str, answer: str, said: list[str] | None = None) -> float:
    llm = SimulatedLLM(latency_s=0)

    async def ask(role: str, model: ModelRef, messages: list[Message], response_schema: object = None) -> CallResult:
        reply = await llm.complete(Request(model, tuple(messages), response_schema), deadline_s=5)
        if said is not None:
            said.append(reply.text)
        return CallResult(reply.text, finish_reason=reply.finish_reason)

    scorer = build({"name": "rubric", "instructions": TEMPLATE}, NO_TOOLS, JUDGE)
    return (await scorer.score(Case("1", "Where is it?", reference), Response(answer), ask)).value  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reference", "answer", "value"),
    [
        ("order tracking", "Order tracking!", 1.0),
        ("order tracking", "order tracking, I think", 0.75),
        ("order tracking", "I would say that this looks like order tracking to me, but who knows really", 0.5),
        ("the cat sat on the mat", "the cat lay on the mat", 0.75),
        ("the cat sat on the mat", "a dog on a mat", 0.5),
        ("refund", "tracking", 0.0),
        ("refund", "", 0.0),
    ],
)
async def test_it_grades_by_common_words(reference: str, answer: str, value: float) -> None:
    assert await judged(reference, answer) == value


async def test_now_and_then_it_has_to_be_asked_again() -> None:
    said: list[str] = []
    values = [await judged(f"label {n}", f"label {n}", said) for n in range(100)]
    assert values == [1.0] * 100
    assert 100 < len(said) < 115
