"""A training does what docs/training.md says, and nothing that it does can be lost or bought twice."""

from __future__ import annotations

import re

import pytest

from app.core.budget import Limits
from app.core.halt import ProviderDown
from app.core.kinds.train import train
from app.core.kinds.training import Training
from app.ports.llm import Json, Request, ServerFault
from app.store.memory import MemoryRecord
from tests.core.training_world import OPTIMIZER, engine, models, training
from tests.fakes.llm import RuleLLM


async def conduct(
    spec: Training, llm: RuleLLM, record: MemoryRecord | None = None, *, limits: Limits | None = None
) -> tuple[Json, MemoryRecord]:
    record = record or MemoryRecord()
    journal = record.claim()
    run = engine(llm, journal, limits=limits, resumed=record.fence > 1)
    return await run.conduct(lambda run: train(run, spec)), record


def told(record: MemoryRecord, name: str) -> list[Json]:
    return [e.data for e in record.history if e.name == name]


def words(request: Request) -> str:
    return "\n".join(m.content for m in request.messages)


async def test_a_training_improves_a_vague_prompt_and_says_so_in_words() -> None:
    outcome, record = await conduct(training(epochs=8, patience=8), models(junk=0.0))
    initial, final = outcome["validation"]["initial"], outcome["validation"]["final"]
    assert final["mean"] > initial["mean"]
    assert initial["n"] == initial["asked"] == 24
    assert outcome["accepted"] >= 1
    assert outcome["verdict"] in ("ship", "keep", "indecisive")
    assert outcome["test"]["paired"]["n"] == 24
    assert outcome["gap"] == pytest.approx(final["mean"] - outcome["test"]["final"]["mean"])
    assert outcome["simulated"] is True
    names = [e.name for e in record.history]
    assert names[:3] == ["plan", "baseline", "epoch"]
    assert names[-2:] == ["test", "verdict"]
    assert {p["fate"] for p in told(record, "proposal")} >= {"accepted", "rejected"}
    assert all(p["why"] for p in told(record, "proposal"))
    assert [e.data["fraction"] for e in record.events if e.name == "progress"][-1] == 1.0


async def test_validation_and_test_text_never_reaches_the_optimiser() -> None:
    spec, llm = training(epochs=8, patience=8), models()
    await conduct(spec, llm)
    shown = "\n".join(words(r) for r in llm.paid if r.model == OPTIMIZER)
    assert any(c.input in shown for c in spec.train)
    assert [c.id for c in (*spec.validation, *spec.test) if c.input in shown] == []


async def test_the_test_split_is_looked_at_once_and_last() -> None:
    spec, llm = training(), models()
    await conduct(spec, llm)
    tests = {c.input for c in spec.test}
    looked = [i for i, r in enumerate(llm.paid) if any(t in words(r) for t in tests)]
    others = [i for i, r in enumerate(llm.paid) if not any(t in words(r) for t in tests)]
    assert min(looked) > max(others)
    assert len(looked) <= 2 * len(spec.test)


async def test_a_rejected_proposal_is_shown_to_the_optimiser_afterwards() -> None:
    llm = models(junk=0.0)
    _, record = await conduct(training(epochs=6, patience=6), llm)
    requests = [words(r) for r in llm.paid if r.model == OPTIMIZER]
    first = next(p for p in told(record, "proposal") if p["fate"] != "accepted")
    assert first["reasoning"] in requests[-1]
    assert first["reasoning"] not in requests[0]


async def test_every_proposal_is_compared_on_the_same_examples_as_its_rival() -> None:
    _, record = await conduct(training(epochs=6, patience=6), models(junk=0.0))
    for proposal in told(record, "proposal"):
        if proposal["paired"]:
            assert proposal["paired"]["n"] == proposal["validation"]["n"]
    raced = [p for p in told(record, "proposal") if p["paired"] and p["validation"]["asked"] < 24]
    assert all(p["fate"] == "rejected" and "could not win" in p["why"] for p in raced)


@pytest.mark.parametrize(
    ("changes", "stopped_by"),
    [({"epochs": 1}, "max_epochs"), ({"patience": 1, "min_delta": 0.99}, "patience")],
)
async def test_it_stops_when_it_was_told_to(changes: dict[str, object], stopped_by: str) -> None:
    outcome, _ = await conduct(training(**changes), models())
    assert outcome["stopped_by"] == stopped_by


async def test_nothing_better_means_keep_and_is_a_success() -> None:
    outcome, _ = await conduct(training(min_delta=0.99, epochs=2), models())
    assert outcome["verdict"] == "keep"
    assert outcome["final"] == outcome["initial"]
    assert outcome["test"]["paired"]["delta"] == 0


async def test_without_a_test_split_nothing_is_claimed() -> None:
    outcome, _ = await conduct(training((40, 24, 0)), models())
    assert outcome["verdict"] == "indecisive"
    assert "no test split" in outcome["sentence"]


async def test_an_optimiser_that_never_makes_sense_ends_nothing_by_itself() -> None:
    llm = models()
    sensible = llm.rule
    llm.rule = lambda r: "I would rather not." if r.model == OPTIMIZER else sensible(r)
    outcome, record = await conduct(training(), llm)
    assert outcome["stopped_by"] == "patience"
    assert outcome["proposals"] == 0
    assert len(told(record, "log")) == 3


async def test_an_optimiser_that_is_down_pauses_instead_of_using_up_the_patience() -> None:
    llm = models()
    sensible = llm.rule
    llm.rule = lambda r: ServerFault("502") if r.model == OPTIMIZER else sensible(r)
    record = MemoryRecord()
    with pytest.raises(ProviderDown, match="optimiser"):
        await conduct(training(), llm, record)
    llm.rule = sensible
    outcome, _ = await conduct(training(), llm, record)
    undisturbed, _ = await conduct(training(), models())
    assert outcome == undisturbed


async def test_a_budget_ends_the_search_but_not_the_sealed_test() -> None:
    full = models()
    await conduct(training(), full)
    llm = models()
    outcome, _ = await conduct(training(), llm, limits=Limits(calls=90))
    assert outcome["stopped_by"] == "budget"
    assert outcome["test"]["initial"]["n"] == 24
    assert len(llm.paid) <= 90 < len(full.paid)


async def test_a_budget_below_the_baseline_claims_nothing() -> None:
    outcome, _ = await conduct(training(), models(), limits=Limits(calls=10))
    assert outcome["verdict"] == "indecisive"
    assert outcome["test"] is None


async def test_errors_during_validation_do_not_count_as_wrong_answers() -> None:
    llm = models(junk=0.0)
    sensible = llm.rule
    spec = training(epochs=8, patience=8)
    lost = {c.input for c in spec.validation[::4]}
    llm.rule = lambda r: ServerFault("500") if any(t in words(r) for t in lost) else sensible(r)
    outcome, record = await conduct(spec, llm)
    baseline = told(record, "baseline")[0]["validation"]
    assert (baseline["n"], baseline["asked"]) == (18, 24)
    assert outcome["accepted"] >= 1


def test_the_kind_never_names_the_test_split_before_the_search_is_over() -> None:
    """The search must not even have a way to the test cases, except for the leak guard."""
    import inspect

    from app.core.kinds import search as module

    uses = re.findall(r"spec\.test\b", inspect.getsource(module.Search))
    assert len(uses) == 1  # the leak guard's


async def test_the_same_seed_gives_the_same_run() -> None:
    first, one = await conduct(training(), models())
    second, two = await conduct(training(), models())
    other, _ = await conduct(training(seed=9), models())
    assert (first, one.history) == (second, two.history)
    assert other != first
