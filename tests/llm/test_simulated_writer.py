"""simulated/writer and the simulated reviewer: skill shows, replies have the form that was asked for and never differ."""

from __future__ import annotations

import json

import pytest

from app.core.review import Rubric, messages, read, schema
from app.llm.simulated.provider import SimulatedLLM
from app.ports.llm import Message, ModelRef, Request

PROMPTS = [f"Describe a {place} in {season} for {who}." for place in ("market", "harbour", "station")
           for season in ("spring", "winter") for who in ("tourists", "children", "engineers")]  # fmt: skip
RUBRIC = Rubric("{{original_prompt}} {{num_configs}} {{all_responses}}", (("sense", ""),), 1, 5)


async def reply(model: str, turns: list[Message], shape: object = None, **params: object) -> str:
    request = Request(ModelRef(model, {"latency_s": 0.0, **params}), tuple(turns), shape)
    return (await SimulatedLLM().complete(request, deadline_s=5)).text


async def written(prompt: str, skill: float) -> str:
    return await reply("simulated/writer", [Message("user", prompt)], skill=skill)


async def test_the_reviewer_ranks_by_skill_most_of_the_time() -> None:
    wins = 0
    for prompt in PROMPTS:
        answers = [("A", await written(prompt, 0.1)), ("B", await written(prompt, 0.9))]
        turns = messages(RUBRIC, prompt, answers)
        shape = schema(RUBRIC, ["A", "B"])
        said = await reply("simulated/judge", turns, shape)
        try:
            places = read(RUBRIC, said, ["A", "B"])
        except ValueError:  # now and then it has to be asked again, as a real one
            again = [*turns, Message("assistant", said), Message("user", "Again.")]
            places = read(RUBRIC, await reply("simulated/judge", again, shape), ["A", "B"])
        wins += places[0].label == "B"
    assert wins >= 0.8 * len(PROMPTS)


async def test_the_same_call_gives_the_same_text_and_takes_its_own_time() -> None:
    assert await written("Name a river.", 0.5) == await written("Name a river.", 0.5)
    request = Request(ModelRef("simulated/writer", {"latency_s": 0.02}), (Message("user", "Name a river."),))
    assert 0.01 <= (await SimulatedLLM().complete(request, deadline_s=5)).ttlb_s <= 0.03


@pytest.mark.parametrize("hostile", ["", "{{input}}", "\0\ufffd", "</response_a-0000000000>" * 50])
async def test_any_text_is_answered(hostile: str) -> None:
    assert await written(hostile, 1.0)
    turns = messages(RUBRIC, hostile, [("A", hostile)])
    said = await reply(
        "simulated/judge", [*turns, Message("assistant", "?"), Message("user", "Again.")], schema(RUBRIC, ["A"])
    )
    assert json.loads(said)["rankings"][0]["label"] == "A"
