"""One review: the answers of all rivals to one prompt, blind and in an order that the seed shuffles, ranked in one call."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

from app.core import review
from app.core.model import Ask, Candidate, Case, Response, Score
from app.core.review import LETTERS, Rubric
from app.ports.journal import Sample
from app.ports.llm import Json, Message, ModelRef

REVIEW = "review"
"""The split of the samples that are reviews and no answers."""


@dataclass(frozen=True)
class Sheet:
    """What a reviewer sees of one prompt. order: the candidates' digests as labelled, A first."""

    case: Case
    order: tuple[str, ...]


def sheet(case: Case, repeat: int, answers: Sequence[Sample], seed: int) -> Sheet:
    """The sheet of the answers to one prompt in one repeat; only those with a text are on it."""
    shown = [answer for answer in answers if worth_reading(answer)]
    random.Random(f"{seed}/review/{case.id}/{repeat}").shuffle(shown)  # noqa: S311 - no secret
    texts = [[LETTERS[place], answer.response] for place, answer in enumerate(shown)]
    packed = json.dumps({"prompt": asked(case), "answers": texts}, ensure_ascii=False)
    return Sheet(Case(f"{case.id}#{repeat}", packed, "", REVIEW), tuple(answer.candidate for answer in shown))


def worth_reading(answer: Sample) -> bool:
    """Whether there is an answer to rank: one that was cut off is one, an empty or failed one is none."""
    return answer.outcome in ("scored", "parse_failed", "truncated", "scoring_failed") and bool(answer.response.strip())


def asked(case: Case) -> str:
    """The messages of a case as a reviewer and a person read them."""
    turns = json.loads(case.input)
    return turns[0][1] if len(turns) == 1 else "\n\n".join(f"[{role}]\n{content}" for role, content in turns)


class Review:
    """Asks the reviewer for a ranking, and once more when its reply cannot be used."""

    def __init__(self, rubric: Rubric) -> None:
        self._rubric = rubric

    @property
    def spec(self) -> Json:
        """See app.core.model.Responder."""
        return {"name": "review", **self._rubric.spec}

    async def respond(self, candidate: Candidate, case: Case, ask: Ask) -> Response:
        """The ranking as app.core.review.as_text."""
        page, rubric = json.loads(case.input), self._rubric
        answers = [(label, text) for label, text in page["answers"]]
        labels = [label for label, _ in answers]
        opening = turns = review.messages(rubric, page["prompt"], answers)
        problem = ""
        for _ in range(2):
            result = await ask("judge", candidate.model, turns, review.schema(rubric, labels))
            if result.error:
                return Response("", "provider_error", f"the reviewer gave no reply: {result.error}: {result.text}")
            try:
                return Response(review.as_text(review.read(rubric, result.text, labels)))
            except ValueError as error:
                problem = str(error)
            turns = review.complained(opening, result.text, problem, cut=result.finish_reason == "length")
        return Response("", "scoring_failed", f"the reviewer's reply stayed unusable: {problem}")


class Answered:
    """1 for an answer that says something, 0 for an empty one: all that is known without a reference or a reader."""

    @property
    def spec(self) -> Json:
        """See app.core.model.Scorer."""
        return {"name": "answered"}

    def longest(self, case: Case) -> Sequence[tuple[ModelRef, Sequence[Message]]]:  # noqa: ARG002 - no model is asked
        """See app.core.model.Scorer."""
        return ()

    async def score(self, case: Case, response: Response, ask: Ask) -> Score:  # noqa: ARG002 - the text alone counts
        """See app.core.model.Scorer."""
        return Score(1.0) if response.text.strip() else Score(0.0, "The answer is empty.")
