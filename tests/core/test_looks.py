"""The sealed split is read once, looks at hidden splits are counted, and an example that is asked twice counts once."""

from __future__ import annotations

import pytest

from app.core.kinds.train import train
from app.core.run import Run, SealBroken
from app.ports.journal import Sample
from app.ports.llm import CallError, Json, Request
from app.store.memory import Looked, MemoryRecord
from tests.core.test_train import conduct
from tests.core.training_world import engine, models, training


async def test_a_second_reading_of_the_sealed_split_is_an_error_in_the_kind() -> None:
    spec, llm = training(), models()

    async def reading_twice(run: Run) -> None:
        await run.evaluate([spec.start], spec.test[:4], spec.exam)
        bought = len(llm.paid)
        with pytest.raises(SealBroken, match="only once in a run"):
            await run.evaluate([spec.start], spec.test[4:8], spec.exam)
        assert len(llm.paid) == bought

    await engine(llm, MemoryRecord().claim()).conduct(reading_twice)


async def test_train_and_validation_may_be_read_again() -> None:
    spec = training()

    async def reading(run: Run) -> list[int]:
        parts = (spec.train[:2], spec.validation[:2], spec.validation[:2], spec.train[:2])
        return [(await run.evaluate([spec.start], part, spec.exam)).comparison for part in parts]

    record = MemoryRecord(compared_before=3)
    assert await engine(models(), record.claim()).conduct(reading) == [0, 0, 0, 0]
    assert record.looks == [Looked("validation", spec.start.digest)]
    sealed = engine(models(), record.claim()).conduct(lambda run: run.evaluate([spec.start], spec.test[:2], spec.exam))
    assert (await sealed).comparison == 4


async def test_every_candidate_on_a_hidden_split_is_counted_once() -> None:
    outcome, record = await conduct(training(epochs=8, patience=8), models(junk=0.0))
    validated = [e.data for e in record.history if e.name == "proposal" and e.data["validation"]]
    counted = [look.candidate for look in record.looks if look.split == "validation"]
    assert len(counted) == len(set(counted)) == 1 + len(validated) == outcome["looks"]["validation"]
    assert len([look for look in record.looks if look.split == "test"]) == 2
    assert outcome["looks"]["test"] == 1


async def verdict_of(compared_before: int) -> Json:
    spec, record = training(epochs=8, patience=8), MemoryRecord(compared_before=compared_before)
    return await engine(models(junk=0.0), record.claim()).conduct(lambda run: train(run, spec))


async def test_each_further_comparison_on_a_test_split_is_held_to_a_stricter_level() -> None:
    first, tenth = await verdict_of(0), await verdict_of(9)
    assert first["verdict"] == "ship"
    assert first["test"]["paired"]["level"] == 0.95
    assert tenth["looks"]["test"] == 10
    assert tenth["test"]["paired"]["level"] == pytest.approx(0.995)
    assert tenth["test"]["paired"]["delta"] == first["test"]["paired"]["delta"]
    assert tenth["test"]["paired"]["low"] < first["test"]["paired"]["low"]
    assert (
        "This is the 10th comparison on this dataset's test examples, so it is held to p < 0.005" in tenth["sentence"]
    )
    assert "99.5 % interval" in tenth["sentence"]
    assert "This is the" not in first["sentence"]


async def test_repeats_are_asked_on_validation_and_test_alone() -> None:
    spec = training(repeats=3)
    outcome, record = await conduct(spec, models(junk=0.0))
    most = dict.fromkeys(("train", "validation", "test"), 0)
    for sample in record.samples.values():
        most[sample.split] = max(most[sample.split], sample.repeat)
    assert most == {"train": 0, "validation": 2, "test": 2}
    assert (
        outcome["validation"]["initial"]["n"] == outcome["validation"]["initial"]["asked"] == 3 * len(spec.validation)
    )
    assert outcome["test"]["paired"]["n"] == outcome["test"]["paired"]["asked"] == len(spec.test)
    examples = len(spec.validation) + len(spec.test)
    assert outcome["flips"] == pytest.approx({"rate": 0.0, "n": examples, "low": 0.0, "high": 0.0}, abs=0.08)


async def test_the_flip_rate_is_that_of_the_answers_on_record() -> None:
    spec, record = training(repeats=2), MemoryRecord()
    llm, asked = models(junk=0.0), dict[str, int]()
    sure, hidden = llm.rule, (*spec.validation, *spec.test)

    def unsure(request: Request) -> str | CallError:
        """About a quarter of the inputs is answered right the second time, whatever the prompt says."""
        text = request.messages[-1].content
        asked[text] = asked.get(text, 0) + 1
        lucky = len(text) % 4 == 0 and asked[text] % 2 == 0
        return next((c.reference for c in hidden if lucky and c.input in text), None) or sure(request)

    llm.rule = unsure
    outcome, _ = await conduct(spec, llm, record)
    answers: dict[str, list[Sample]] = {}
    for sample in record.samples.values():
        if sample.candidate == spec.start.digest and sample.split != "train":
            answers.setdefault(sample.case, []).append(sample)
    flipped = [len({s.score for s in found}) > 1 for found in answers.values()]
    assert 0 < sum(flipped) < len(flipped)
    assert outcome["flips"]["rate"] == pytest.approx(sum(flipped) / len(flipped))


async def test_without_repeats_no_flip_rate_is_made_up() -> None:
    outcome, _ = await conduct(training(epochs=1), models())
    assert outcome["flips"] is None
