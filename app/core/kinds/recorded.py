"""A training's record in place of its models: recorded answers and proposals, and scores where they still hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from app.core.asking import Asker
from app.core.model import Ask, Candidate, Case, Response, Score, Scorer, Unscored
from app.core.optimizers import STRATEGIES, Evidence, Outlook, Proposal
from app.core.responders.single_turn import SingleTurn
from app.core.stats.interval import COUNTED
from app.ports.journal import Outcome, Sample
from app.ports.llm import Json, Message, ModelRef

NOT_ON_RECORD: Outcome = "cancelled"
"""The outcome of an answer, or a judgement, that was never bought. It is no error, and no wrong answer either."""
FAILED: tuple[Outcome, ...] = ("provider_error", "timed_out")
"""Outcomes of a call that failed for good; nobody has seen an answer, so asking again is no second look at one."""
NO_ANSWER = "it is not on record, and nothing is bought"
NO_JUDGEMENT = "no judgement of it is on record, and nothing is bought"
NOT_READ = "it was never read on the sealed test, which is not opened again"


@dataclass(frozen=True)
class Record:
    """What a finished training has on record.

    rows: (row, input, reference) of its dataset. samples: by candidate, case and repeat. proposals: as noted, by epoch in their
    order. parents: what each epoch's proposals were made from, by epoch.
    """

    rows: Sequence[tuple[int, str, str]]
    samples: Mapping[tuple[str, str, int], Sample]
    proposals: Mapping[int, Sequence[Json]]
    parents: Mapping[int, int]

    @cached_property
    def tested(self) -> frozenset[str]:
        """Candidates that were read on the sealed test."""
        return frozenset(candidate for (candidate, _, _), s in self.samples.items() if s.split == "test")


@dataclass(frozen=True)
class Given(Response):
    """An answer from the record. known: its score, where the same scorer gave it for the same reference."""

    known: Score | None = None


@dataclass(frozen=True)
class RecordedAnswers:
    """Gives what was answered then. buy: what was not is asked of the model now, but for the sealed test, which stays shut.

    retry: what failed for good is asked again, on the sealed test too. source: the training's id. trusted: cases whose recorded
    scores still hold.
    """

    record: Record = field(repr=False)
    source: str
    buy: bool
    trusted: frozenset[str] = field(repr=False)
    retry: bool = False

    @property
    def spec(self) -> Json:
        """See app.core.model.Responder."""
        again = {"retry": True} if self.retry else {}
        return {"name": "recorded", "source": self.source, "buy": self.buy} | again

    async def respond(self, candidate: Candidate, case: Case, ask: Ask) -> Response:
        """See app.core.model.Responder."""
        repeat = ask.repeat if isinstance(ask, Asker) else 0
        sample = self.record.samples.get((candidate.digest, case.id, repeat))
        if sample and self.retry and failed_for_good(sample):
            return await SingleTurn().respond(candidate, case, ask)
        if sample:
            return self._given(sample)
        if case.split == "test":
            return Response("", NOT_ON_RECORD, NOT_READ)
        if not self.buy:
            return Response("", NOT_ON_RECORD, NO_ANSWER)
        return await SingleTurn().respond(candidate, case, ask)

    def _given(self, sample: Sample) -> Response:
        scored = sample.outcome in COUNTED
        if scored and sample.score is not None and sample.case in self.trusted:
            parts = sample.scores if isinstance(sample.scores, dict) else {}
            known = Score(sample.score, sample.feedback, sample.outcome == "scored", parts)
            return Given(sample.response, known=known)
        # An answer that only its judge or scorer failed on is an answer all the same.
        if scored or (sample.response and sample.outcome in ("scoring_failed", "provider_error")):
            return Given(sample.response)
        return Response(sample.response, sample.outcome, sample.error)


def failed_for_good(sample: Sample) -> bool:
    """Whether there is no answer because every try of a call failed."""
    return sample.outcome in FAILED and not sample.response


@dataclass(frozen=True)
class Rescoring:
    """Scores what has no score from the record. buy: False when a judge must not be asked."""

    scorer: Scorer
    buy: bool

    @property
    def spec(self) -> Json:
        """See app.core.model.Scorer."""
        return self.scorer.spec

    def longest(self, case: Case) -> Sequence[tuple[ModelRef, Sequence[Message]]]:
        """See app.core.model.Scorer."""
        return self.scorer.longest(case)

    async def score(self, case: Case, response: Response, ask: Ask) -> Score:
        """See app.core.model.Scorer."""
        if isinstance(response, Given) and response.known:
            return response.known
        if not self.buy and self.scorer.longest(case):
            raise Unscored(NOT_ON_RECORD, NO_JUDGEMENT)
        return await self.scorer.score(case, response, ask)


@dataclass(frozen=True)
class RecordedProposals:
    """The strategy that proposes what was proposed then, from the same parents where they are still in the pool."""

    record: Record = field(repr=False)
    strategy: str
    name: str = "recorded"
    summary: str = "What the training proposed then."
    needs_optimizer: bool = False
    template: str = ""
    children: int = 1
    merges: bool = False

    @property
    def adds_examples(self) -> bool:
        """As the strategy that made them."""
        return STRATEGIES[self.strategy].adds_examples

    def parent(self, outlook: Outlook) -> int:
        """See app.core.optimizers.Strategy."""
        then = self.record.parents.get(outlook.epoch, outlook.best)
        return then if then in {member.number for member in outlook.members} else outlook.best

    async def propose(self, evidence: Evidence, ask: Ask) -> list[Proposal]:  # noqa: ARG002 - nobody is asked
        """See app.core.optimizers.Strategy."""
        return [proposal_of(note) for note in self.record.proposals.get(evidence.epoch, ())]


def proposal_of(note: Json) -> Proposal:
    """The proposal that a note tells of; the first of the noted parents is the epoch's."""
    known = {one.name: note[one.name] for one in dataclasses.fields(Proposal) if one.name in note}
    return Proposal(**known | {"parents": tuple(note.get("parents", ()))[1:]})
