"""Who sees: the operator's word, LiteLLM's table, or nobody knows; and what the simulated model makes of pixels."""

from __future__ import annotations

import pytest

from app.config import load
from app.llm.simulated import SimulatedLLM
from app.llm.simulated.look import seen
from app.llm.vision import sees
from app.ports.llm import Image, Message, ModelRef, Rejected, Request
from app.services.datasets.samples import FOLDER
from tests.services.pictures.drawn import picture


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai/gpt-4o", True),
        ("openai/gpt-3.5-turbo", False),
        ("vertex_ai/gemini-2.5-flash", True),
        ("anthropic/claude-sonnet-4-6", True),
        ("deepseek/deepseek-chat", False),
        ("openai/nobody-knows-this", None),
        ("simulated/primary", True),
        ("simulated/judge", False),
    ],
)
def test_the_table_says_who_sees(name: str, expected: bool | None) -> None:
    assert sees(ModelRef(name), {}) is expected


def test_the_operator_says_so_in_the_environment() -> None:
    assert load(environ={"WHETSTONE_VISION": "a/b=no, c/d=yes"}).vision == {"a/b": False, "c/d": True}


def test_the_operator_wins_and_an_address_hides_what_is_served_there() -> None:
    assert sees(ModelRef("openai/gpt-4o"), {"openai/gpt-4o": False}) is False
    assert sees(ModelRef("openai/gpt-4o", api_base="http://127.0.0.1:1"), {}) is None


def test_every_sample_card_is_seen_as_what_it_is() -> None:
    for path in sorted((FOLDER / "shape_cards").glob("*.png")):
        colour, shape, _ = path.stem.split("-")
        assert seen(path.read_bytes()) == f"The picture shows a {colour} {shape}.", path.name
    assert seen(picture(colour="blue")) == "The picture is all blue."


async def test_the_simulated_model_answers_by_what_it_sees_and_not_by_the_digest() -> None:
    cards = {name: (FOLDER / "shape_cards" / f"{name}-1.png").read_bytes() for name in ("red-circle", "red-square")}

    class Cards:
        def read(self, digest: str) -> bytes:
            from app.ports.images import ImageGone

            if digest not in cards:
                raise ImageGone("gone")
            return cards[digest]

    async def ask(name: str) -> str:
        prompt = "Permitted labels:\n- circle\n- square\n- triangle\n\nReply with the label only."
        turns = (Message("system", prompt), Message("user", "Which shape?", (Image(name, "image/png", 96, 96),)))
        request = Request(ModelRef("simulated/primary", {"temperature": 0}), turns)
        return (await SimulatedLLM(0.0, Cards()).complete(request, deadline_s=5)).text

    assert [await ask(name) for name in cards] == ["circle", "square"]
    with pytest.raises(Rejected):
        await ask("blue-circle")
