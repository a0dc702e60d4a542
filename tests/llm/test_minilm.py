"""The local embedding model gives the cosines that are published for it, the same each time, beside the event loop."""

from __future__ import annotations

import asyncio
import math

import pytest

from app.llm.minilm import MiniLM, local_embedder

EMBEDDER = local_embedder()
pytestmark = pytest.mark.skipif(
    EMBEDDER is None, reason="the embedding model is not installed (docs/training.md, scorer semantic)"
)


async def cosine(one: str, other: str) -> float:
    assert EMBEDDER is not None
    return math.fsum(a * b for a, b in zip(await EMBEDDER.embed(one), await EMBEDDER.embed(other), strict=True))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("That is a happy dog", 0.695),
        ("That is a very happy person", 0.943),
        ("Today is a sunny day", 0.257),
        ("that is a HAPPY person", 1.0),
    ],
)
async def test_the_published_cosines_come_out(text: str, value: float) -> None:
    assert await cosine("That is a happy person", text) == pytest.approx(value, abs=0.001)


async def test_any_text_has_a_vector_of_length_1() -> None:
    assert EMBEDDER is not None
    for text in ("", "\N{GRINNING FACE}", "word " * 5_000, "\x00\ufffd"):
        assert math.fsum(a * a for a in await EMBEDDER.embed(text)) == pytest.approx(1, abs=1e-5)


async def test_another_instance_gives_the_same_numbers_while_the_loop_goes_on() -> None:
    assert isinstance(EMBEDDER, MiniLM)
    first = await EMBEDDER.embed("Where is my parcel?")
    again = asyncio.ensure_future(MiniLM(EMBEDDER._folder).embed("Where is my parcel?"))
    turns = 0
    while not again.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert list(await again) == list(first)
    assert turns > 1
