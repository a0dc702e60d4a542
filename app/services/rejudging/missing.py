"""What a re-judging would have to buy, counted before its start by judging once in memory with nothing bought."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import scorers
from app.core.budget import Budget, Limits
from app.core.kinds.recorded import NO_ANSWER, NO_JUDGEMENT, NOT_READ, failed_for_good
from app.core.kinds.rejudge import Replayed, prepare, rejudge
from app.core.model import Candidate, model_ref
from app.core.run import Run as Engine
from app.llm.gateway import Gateway
from app.ports.journal import Sample, Totals
from app.ports.llm import Json
from app.ports.scoring import Tools
from app.services.datasets import pictures_of
from app.services.drive import policy
from app.services.errors import Invalid, Problem
from app.services.rejudging.record import record_of
from app.services.training.draft import examples_of
from app.services.training.estimate import judgements
from app.store.memory import MemoryRecord
from app.store.models import Dataset, Run, SampleRow


@dataclass(frozen=True)
class Missing:
    """What is not on record: low is what judging once with nothing bought comes upon; high, every proposal validated in full.

    When low is 0, nothing will be bought, since no decision lacks anything. on_record: answers that are used at no cost.
    answers: of the primary model; judgements: calls of the judge. usd is None when a price is unknown. sealed: answers of the
    sealed test that are not on record; they are never bought.
    """

    on_record: int
    answers_low: int
    answers_high: int
    judgements_low: int
    judgements_high: int
    usd_low: float | None
    usd_high: float | None
    sealed: int

    @property
    def nothing(self) -> bool:
        """Whether everything that is needed is on record."""
        return not (self.answers_low or self.judgements_low)


def count(session: Session, spec: Json, *, gateway: Gateway, tools: Tools) -> Missing:
    """What is missing for a spec of ``parse``. Raises: Invalid when the training or its rows cannot be judged so."""
    try:
        record = record_of(session, spec["source"])
        rows = examples_of(session, spec["dataset"]["id"])
        shown = {"pictures": pictures_of(session, spec["source"]["dataset"]["id"])}
        replayed = prepare(spec | shown | {"record": record, "missing": "leave"}, rows, tools)
    except ValueError as error:
        raise Invalid([Problem("dataset", str(error))]) from None
    with ThreadPoolExecutor(1) as own:  # whoever asks may be in an event loop
        found = own.submit(asyncio.run, _judged(spec, replayed, gateway)).result()
    unread = sum(one.error == NOT_READ for one in found)
    failed = sum(failed_for_good(one) for one in record.samples.values()) if spec["missing"] == "retry" else 0
    answers = failed + sum(one.error == NO_ANSWER for one in found)
    judged = scorers.judgements(spec["scorers"])
    unjudged = judged * sum(one.error == NO_JUDGEMENT for one in found)
    most = answers + _unvalidated(replayed) if answers or unjudged else 0
    most_unjudged = judged * _answered(replayed) if unjudged else 0
    prices = _price_of_answer(replayed), _price_of_judgement(session, spec, gateway)
    low, high = (answers, unjudged + judged * answers), (most, max(unjudged, most_unjudged) + judged * most)
    return Missing(
        on_record=sum(not one.error for one in found),
        answers_low=low[0],
        answers_high=high[0],
        judgements_low=low[1],
        judgements_high=high[1],
        usd_low=_usd(low, prices),
        usd_high=_usd(high, prices),
        sealed=unread,
    )


def has_more_than(session: Session, run: Run, answers: int) -> bool:
    """Whether a training has more answers on record."""
    query = select(SampleRow.id).where(SampleRow.run_id == run.id).order_by(SampleRow.id)
    return session.scalar(query.offset(answers).limit(1)) is not None


async def _judged(spec: Json, replayed: Replayed, gateway: Gateway) -> Sequence[Sample]:
    """The samples of a re-judging in which nothing is bought."""
    memory = MemoryRecord()
    budget = Budget(Limits(), Totals())
    engine = Engine(gateway, memory.claim(), budget, policy(spec), concurrency=spec["concurrency"], resumed=False)
    await engine.conduct(lambda run: rejudge(run, replayed))
    return list(memory.samples.values())


def _unvalidated(replayed: Replayed) -> int:
    """Validation answers that no proposal has on record."""
    notes = [note for each in replayed.record.proposals.values() for note in each if note["fate"] != "invalid"]
    model = replayed.start.model
    candidates = {Candidate(note["system_prompt"], note["output_prompt"], model).digest for note in notes}
    known = replayed.record.samples
    return sum((digest, case.id, 0) not in known for digest in candidates for case in replayed.validation)


def _answered(replayed: Replayed) -> int:
    """Recorded answers that a judge would have to read again at most."""
    return sum(bool(one.response) for one in replayed.record.samples.values())


def _price_of_answer(replayed: Replayed) -> float | None:
    """What an answer of the training has cost on average; None when that is not known."""
    costs = [one.cost_usd for one in replayed.record.samples.values() if one.calls]
    return None if None in costs else math.fsum(c or 0.0 for c in costs) / max(1, len(costs))


def _price_of_judgement(session: Session, spec: Json, gateway: Gateway) -> float | None:
    if not spec["judge"]:
        return 0.0
    price = gateway.price(model_ref(spec["judge"]))
    calls, shown, said = judgements(spec, session.get_one(Dataset, spec["dataset"]["id"]).statistics)
    if price is None:
        return None
    return (shown * price.prompt_usd + said * price.completion_usd) / max(1, calls)


def _usd(counts: tuple[int, int], prices: tuple[float | None, float | None]) -> float | None:
    total = 0.0
    for number, price in zip(counts, prices, strict=True):
        if number and price is None:
            return None
        total += number * (price or 0.0)
    return total
