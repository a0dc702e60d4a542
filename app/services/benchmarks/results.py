"""What a benchmark has on record, brought together: answers, reviews, rankings of people, marks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.kinds.reviewing import REVIEW
from app.core.model import Candidate, model_ref
from app.ports.llm import Json
from app.services.errors import Conflict, NotFound
from app.services.runs.record import notes
from app.store.judged import MarkRow, RankingRow
from app.store.models import Run, SampleRow

READABLE = ("scored", "parse_failed", "truncated", "scoring_failed")
"""Outcomes of answers that can be read, if they say anything."""
UNACCEPTABLE, ACCEPTABLE = "unacceptable", "acceptable"


class Place(NamedTuple):
    """Where an answer is: prompt, and repeat over all runs of the session, from 0."""

    case: str
    repeat: int


@dataclass(frozen=True, slots=True)
class Given:
    """What a reviewer gave one answer."""

    rank: int
    score: float
    comment: str
    criteria: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Answer:
    """One config's answer to one prompt, without its text. chars: of the text. review: None without one."""

    id: int
    key: str
    config: str
    place: Place
    outcome: str
    chars: int
    score: float | None
    seconds: float
    tokens: int
    cost_usd: float | None
    error: str
    mark: str = ""
    review: Given | None = None

    @property
    def readable(self) -> bool:
        """Whether there is something to rank."""
        return self.outcome in READABLE and self.chars > 0

    @property
    def counts(self) -> bool:
        """Whether it enters the means: it is there, and nobody found it unacceptable."""
        return self.readable and self.mark != UNACCEPTABLE


@dataclass(frozen=True)
class Results:
    """A benchmark as it stands. reviews: by place, by config. failed: reason by place, where a review failed."""

    run: Run
    answers: Sequence[Answer]
    reviews: Mapping[Place, Mapping[str, Given]]
    failed: Mapping[Place, str]
    rankings: Sequence[RankingRow] = field(default=())

    @property
    def configs(self) -> list[str]:
        """Labels of the configs, in the order of the spec."""
        return [one["label"] for one in self.run.spec["configs"]]

    @property
    def cases(self) -> list[Json]:
        """The prompts as the spec pins them."""
        return list(self.run.spec["cases"])

    @property
    def scale(self) -> tuple[int, int]:
        """Of the reviewer's scores."""
        review = self.run.spec["review"]
        return (review["scale"][0], review["scale"][1]) if review else (1, 10)

    @property
    def reviewer(self) -> str:
        """Name of the model that reviews, "" without one."""
        return str(self.run.spec["judge"]["name"]) if self.run.spec["review"] and self.run.spec["judge"] else ""

    @cached_property
    def by_place(self) -> Mapping[Place, list[Answer]]:
        """The answers to each prompt in each repeat."""
        found: dict[Place, list[Answer]] = defaultdict(list)
        for answer in self.answers:
            found[answer.place].append(answer)
        return found

    @cached_property
    def ranked(self) -> Mapping[Place, list[RankingRow]]:
        """The rankings of people, by place."""
        found: dict[Place, list[RankingRow]] = defaultdict(list)
        for row in self.rankings:
            found[Place(row.case, row.repeat)].append(row)
        return found

    def case(self, case_id: str) -> Json:
        """The prompt of that id. Raises: NotFound."""
        found = next((one for one in self.cases if one["id"] == case_id), None)
        if found is None:
            raise NotFound(f"this benchmark has no prompt {case_id[:64]!r}")
        return found

    def rivals(self, place: Place) -> dict[str, Answer]:
        """By config, the answers that can be ranked against each other. Raises: NotFound for no such prompt."""
        self.case(place.case)
        return {answer.config: answer for answer in self.by_place.get(place, []) if answer.readable}

    def run_of(self, repeat: int) -> int:
        """Which run of the session a repeat belongs to, from 1."""
        return int(repeat // self.run.spec["repeats"]) + 1


def results(session: Session, run: Run) -> Results:
    """Everything but the texts. Raises: Conflict for a run of another kind."""
    if run.kind != "benchmark":
        raise Conflict(f"run {run.id} is no benchmark")
    labels = {Candidate("", "", model_ref(one)).digest: one["label"] for one in run.spec["configs"]}
    reviews, failed = _reviews(session, run)
    marks = dict(session.execute(select(MarkRow.sample, MarkRow.verdict).where(MarkRow.run_id == run.id)).all())
    names = ("id", "key", "candidate", "case", "repeat", "outcome", "score", "seconds", "tokens", "cost_usd", "error")
    columns = [getattr(SampleRow, name) for name in names]
    query = select(*columns, func.length(SampleRow.response)).where(SampleRow.run_id == run.id)
    answers = [
        Answer(
            id_, key, labels[candidate], place, outcome, chars, score, seconds, tokens, cost, error,
            marks.get(key, ""), reviews.get(place, {}).get(labels[candidate]),
        )
        for id_, key, candidate, case, repeat, outcome, score, seconds, tokens, cost, error, chars
        in session.execute(query.where(SampleRow.split != REVIEW).order_by(SampleRow.id))
        for place in (Place(case, repeat),)
        if candidate in labels
    ]  # fmt: skip
    ranked = select(RankingRow).where(RankingRow.run_id == run.id).order_by(RankingRow.id)
    return Results(run, answers, reviews, failed, list(session.scalars(ranked)))


def _reviews(session: Session, run: Run) -> tuple[dict[Place, dict[str, Given]], dict[Place, str]]:
    found: dict[Place, dict[str, Given]] = {}
    failed: dict[Place, str] = {}
    for note in notes(session, run.id):
        if note.name == "review":
            place = Place(note.data["case"], note.data["repeat"])
            found[place] = {
                row["config"]: Given(row["rank"], row["score"], row["comment"], row["criteria"])
                for row in note.data["places"]
            }
            if note.data["error"]:
                failed[place] = note.data["error"]
    return found, failed


def texts(session: Session, answers: Sequence[Answer]) -> dict[int, str]:
    """The texts of answers, by their ids."""
    ids = [answer.id for answer in answers]
    query = select(SampleRow.id, SampleRow.response).where(SampleRow.id.in_(ids))
    return {row.id: row.response for row in session.execute(query)}
