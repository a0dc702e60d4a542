"""The search with a pool: what it reuses, what it merges, when it stops early, and that every strategy trains to an end."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from app.core.kinds.pool import Standing
from app.core.kinds.spending import LARGEST, next_size
from app.core.kinds.train import train
from app.core.kinds.training import Training
from app.core.optimizers import MERGE, STRATEGIES
from app.ports.llm import Json
from app.store.memory import MemoryRecord
from tests.core.crash import Crash, CrashingJournal
from tests.core.optimizers.evidence_world import FOLDER, body
from tests.core.training_world import OPTIMIZER, engine, models, training
from tests.fakes.llm import RuleLLM


def by(strategy: str, sizes: tuple[int, int, int] = (40, 24, 24), **changes: object) -> Training:
    template = STRATEGIES[strategy].template
    settings = {
        "strategy": strategy,
        "optimizer": OPTIMIZER if STRATEGIES[strategy].needs_optimizer else None,
        "instructions": body(FOLDER / f"optimizer/{template}.md") if template else "",
    }
    return training(sizes, **(settings | changes))


async def conduct(spec: Training, llm: RuleLLM, record: MemoryRecord | None = None) -> tuple[Json, MemoryRecord]:
    record = record or MemoryRecord()
    journal = record.claim()
    return await engine(llm, journal, resumed=record.fence > 1).conduct(lambda run: train(run, spec)), record


def told(record: MemoryRecord, name: str) -> list[Json]:
    return [e.data for e in record.history if e.name == name]


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_every_strategy_trains_and_buys_no_answer_twice(strategy: str) -> None:
    spec, llm = by(strategy, epochs=5, patience=5), models(junk=0.2)
    outcome, record = await conduct(spec, llm)
    assert outcome["proposals"] == len(told(record, "proposal")) >= 3
    requests = Counter(json.dumps([(m.role, m.content) for m in r.messages]) for r in llm.paid if r.model != OPTIMIZER)
    assert max(requests.values()) == 1
    again, other = await conduct(by(strategy, epochs=5, patience=5), models(junk=0.2))
    assert (again, other.history) == (outcome, record.history)


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_every_proposal_is_noted_with_its_parents_and_fate(strategy: str) -> None:
    _, record = await conduct(by(strategy, epochs=5, patience=5), models(junk=0.2))
    known = {0}
    notes = sorted(told(record, "proposal"), key=lambda n: n["number"])
    assert [n["number"] for n in notes] == list(range(1, len(notes) + 1))
    for note in notes:
        assert note["parent"] == note["parents"][0]
        assert set(note["parents"]) <= known
        assert note["strategy"] in {*STRATEGIES, MERGE}
        assert note["fate"] in ("accepted", "rejected", "invalid")
        assert note["why"]
        known.add(note["number"])


async def test_at_most_one_proposal_of_an_epoch_is_validated() -> None:
    _, record = await conduct(by("auto", epochs=8, patience=8), models(junk=0.0))
    validated = Counter(p["epoch"] for p in told(record, "proposal") if p["validation"])
    assert max(validated.values()) == 1


async def test_good_proposals_of_an_epoch_are_merged_and_the_merger_is_tried_like_any_other() -> None:
    merges = []
    for seed in range(6):
        spec = by("reflective_pareto", seed=seed, epochs=6, patience=6)
        _, record = await conduct(spec, models(junk=0.0))
        merges += [p for p in told(record, "proposal") if p["strategy"] == MERGE]
    assert merges
    for merge in merges:
        assert len(merge["parents"]) >= 3, "the epoch's parent and at least two siblings"
        assert merge["fate"] == "invalid" or merge["gate"]


def test_half_of_a_minibatch_is_reused_and_the_other_half_is_new() -> None:
    spec = training()
    first = spec.batch(1, 8)
    second = spec.batch(2, 8, [case.id for case in first])
    assert len(first) == len(second) == 8
    assert len(set(first) & set(second)) == 4
    assert spec.batch(2, 8, [case.id for case in first]) == second
    assert len(spec.batch(3, 100)) == len(spec.train)
    most = [case.id for case in spec.train[:-2]]
    assert len(set(spec.batch(4, 8, most))) == 8, "too few new rows are made up for by old ones"


def test_the_minibatch_grows_while_its_gate_lets_in_what_then_loses() -> None:
    spec = training(batch_size=8)
    assert next_size(8, spec, 0) == 8
    assert next_size(8, spec, 1) == 8
    assert next_size(8, spec, 2) == 12
    assert next_size(12, spec, 3) == 12
    assert next_size(12, spec, 4) == LARGEST * 8
    assert next_size(16, spec, 6) == 16
    assert next_size(16, spec, 0) == 8
    assert next_size(40, training(batch_size=100), 2) == 40, "there are no more rows"


async def test_a_member_shows_scores_and_no_text_of_validation() -> None:
    spec = training()
    report = await engine(models(), MemoryRecord().claim()).evaluate([spec.start], spec.validation, spec.exam)
    standing = Standing(0, spec.start, report)
    member = standing.member(len(spec.validation))
    assert member.complete
    assert set(member.scores) == {case.id for case in spec.validation}
    assert not any(case.input in repr(member) for case in spec.validation)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["auto", "evolutionary", "reflective_pareto"])
async def test_a_crash_changes_nothing_with_several_proposals_an_epoch(strategy: str) -> None:
    spec = by(strategy, (24, 10, 6), epochs=3, batch_size=6)
    undisturbed, llm = MemoryRecord(), models()
    counting = CrashingJournal(undisturbed.claim(), at=10**9, flushing=True)
    outcome = await engine(llm, counting).conduct(lambda run: train(run, spec))
    expected = json.dumps([outcome, [e[1:] for e in undisturbed.history]])
    for at in range(1, counting.writes + 1, 7):
        record, again = MemoryRecord(), models()
        with pytest.raises(Crash):
            await engine(again, CrashingJournal(record.claim(), at, flushing=at % 2 == 0)).conduct(
                lambda run: train(run, spec)
            )
        resumed, _ = await conduct(spec, again, record)
        assert json.dumps([resumed, [e[1:] for e in record.history]]) == expected, f"crash at write {at}"
        assert len(again.paid) - len(llm.paid) <= 4, f"crash at write {at}"
