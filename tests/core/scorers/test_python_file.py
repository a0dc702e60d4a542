"""What a person's function returns is checked; whatever else it does leaves the sample without a score."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.core.model import Case, Response, Score, Unscored
from app.core.scorers import build
from app.ports.llm import Json
from app.ports.scoring import CodeError, Tools
from tests.core.scorers.test_scorers import no_ask


class Scripted:
    """A sandbox that returns what it was told to, and keeps what it was asked."""

    def __init__(self, said: Json) -> None:
        self.said = said
        self.asked: list[tuple[str, Sequence[str]]] = []

    def check(self, source: str) -> None:
        if "score" not in source:
            raise CodeError("it has no function score(input, reference, response)")

    async def run(self, source: str, arguments: Sequence[str]) -> Json:
        self.asked.append((source, tuple(arguments)))
        if isinstance(self.said, CodeError):
            raise self.said
        return self.said

    def close(self) -> None:
        return None


async def grade(said: Json) -> Score:
    sandbox = Scripted(said)
    scorer = build({"name": "python", "file": "def score"}, Tools(sandbox=sandbox))
    score = await scorer.score(Case("1", "the input", "yes"), Response("no"), no_ask)
    assert sandbox.asked == [("def score", ("the input", "yes", "no"))]
    return score


@pytest.mark.parametrize(
    ("said", "value", "feedback"),
    [
        (1, 1, "Correct."),
        (True, 1, "Correct."),
        (False, 0, 'Score 0.00: expected "yes", got "no".'),
        (0.25, 0.25, 'Score 0.25: expected "yes", got "no".'),
        ({"score": 0.5, "feedback": " Say yes. "}, 0.5, "Say yes."),
        ({"score": 0.5, "feedback": None}, 0.5, 'Score 0.50: expected "yes", got "no".'),
        ({"score": 1, "more": [1]}, 1, "Correct."),
    ],
)
async def test_a_number_or_a_dict_is_a_score(said: Json, value: float, feedback: str) -> None:
    score = await grade(said)
    assert (score.value, score.feedback) == (value, feedback)


@pytest.mark.parametrize(
    "said", [None, "1", [1], {}, {"score": "high"}, -0.1, 1.01, float("nan"), float("inf"), 10**400]
)
async def test_anything_else_is_none(said: Json) -> None:
    with pytest.raises(Unscored, match="must return a number from 0 to 1") as failure:
        await grade(said)
    assert failure.value.outcome == "scoring_failed"


async def test_a_function_that_fails_leaves_no_score() -> None:
    with pytest.raises(Unscored, match="line 2: ValueError: no"):
        await grade(CodeError("line 2: ValueError: no"))


def test_what_cannot_work_is_refused_when_it_is_built() -> None:
    with pytest.raises(ValueError, match="set allow_code to true"):
        build({"name": "python", "file": "def score"})
    with pytest.raises(ValueError, match="file is empty"):
        build("python", Tools(sandbox=Scripted(1)))
    with pytest.raises(ValueError, match="file cannot be used: it has no function score"):
        build("python:file=x = 1", Tools(sandbox=Scripted(1)))
