"""The plan of a training: a pilot on train examples alone, asked twice, and what follows from it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from app.core.budget import Limits
from app.core.halt import ProviderDown
from app.core.kinds.advice import LEAST_TRAIN, LEAST_VALIDATION, recommended_split
from app.core.kinds.forecast import PROPOSAL_S
from app.core.kinds.plan import Plan, plan
from app.core.kinds.training import Training
from app.core.model import Candidate
from app.ports.llm import CallError, ContentFiltered, ModelRef, Request, ServerFault
from app.store.memory import MemoryRecord
from tests.core.training_world import engine, training
from tests.fakes.llm import RuleLLM

BOUNDS: dict[str, Any] = {
    "answers": [100, 1000],
    "proposing": {"calls": [3, 40], "tokens": [3000, 40_000], "usd": [0.01, 0.2]},
    "growth": {"tokens": 50.0, "usd": 0.00005},
    "concurrency": 4,
    "rpm": None,
    "comparison": 1,
}


async def planned(
    llm: RuleLLM, *, worth: float = 0.05, examples: int = 16, limits: Limits | None = None, **changes: Any
) -> tuple[Any, MemoryRecord, Training]:
    """The outcome of a plan; changes: of the bounds, and of the training."""
    bounds = BOUNDS | {key: changes.pop(key) for key in list(changes) if key in BOUNDS}
    record, spec = MemoryRecord(), training(changes.pop("sizes", (40, 24, 24)), **changes)
    run = engine(llm, record.claim(), limits=limits)
    return await run.conduct(lambda run: plan(run, Plan(spec, examples, worth, bounds))), record, spec


def answering(share: float, *, flipping: int = 0) -> RuleLLM:
    """A model that answers this share of what it is asked right; every ``flipping``-th only the first time."""
    truth = {case.input: case.reference for case in training((100, 24, 24)).train}
    places = {text: at for at, text in enumerate(truth)}
    asked: Counter[str] = Counter()

    def rule(request: Request) -> str:
        text = next(text for text in truth if text in request.messages[-1].content)
        asked[text] += 1
        right = places[text] % 10 < share * 10
        if flipping and places[text] % flipping == 0:
            right = asked[text] == 1
        return truth[text] if right else "wrong"

    return RuleLLM(rule)


async def test_only_train_examples_are_asked_each_of_them_twice() -> None:
    llm = answering(0.5)
    outcome, record, spec = await planned(llm)
    asked = Counter(request.messages[-1].content for request in llm.paid)
    train = {case.input for case in spec.train}
    assert len(asked) == 16
    assert set(asked.values()) == {2}
    assert all(any(text in said for text in train) for said in asked)
    assert {(s.split, s.repeat) for s in record.samples.values()} == {("train", 0), ("train", 1)}
    assert outcome["pilot"] | {"mean": None, "flips": None} == {
        "examples": 16, "train_n": 40, "repeats": 2, "mean": None, "flips": None,
    }  # fmt: skip


async def test_the_training_meets_the_pilot_again_in_its_first_minibatch() -> None:
    spec = training((40, 24, 24))
    pilot = Plan(spec, 16, 0.05, BOUNDS).sample
    assert set(pilot) == set(spec.batch(1, 16))
    assert set(spec.batch(1, 8)) < set(pilot)


async def test_a_model_that_contradicts_itself_is_found_out() -> None:
    steady, _, _ = await planned(answering(0.5))
    moody, _, _ = await planned(answering(0.5, flipping=2))
    assert steady["pilot"]["flips"]["rate"] == 0.0
    assert steady["repeats"]["help"] is False
    assert moody["pilot"]["flips"]["rate"] > 0.3
    assert moody["noise"]["test"]["randomness"]["value"] > steady["noise"]["test"]["randomness"]["value"]
    assert moody["repeats"]["help"] is True
    assert "3 times would help" in moody["advice"][-1]
    often, _, _ = await planned(answering(0.5, flipping=2), repeats=3)
    assert often["repeats"]["help"] is True
    assert "3 times, as set, helps" in often["advice"][-1]
    assert often["detectable"]["test"]["value"] == moody["repeats"]["detectable"]
    assert often["needed"]["value"] < moody["needed"]["value"]
    assert often["noise"]["test"]["error"]["value"] < moody["noise"]["test"]["error"]["value"]
    vain, _, _ = await planned(answering(0.5), repeats=3)
    assert "hardly helps" in vain["advice"][-1]


async def test_figures_lie_within_their_ends_and_a_larger_split_shows_more() -> None:
    small, _, _ = await planned(answering(0.5), sizes=(40, 24, 24))
    for figure in (small["noise"]["test"]["error"], small["detectable"]["test"], small["needed"]):
        assert figure["low"] <= figure["value"] <= figure["high"]
    large, _, _ = await planned(answering(0.5), sizes=(40, 24, 60))
    assert large["detectable"]["test"]["value"] < small["detectable"]["test"]["value"]
    assert large["detectable"]["validation"] == small["detectable"]["validation"]


async def test_a_test_split_that_was_read_before_shows_less() -> None:
    first, _, _ = await planned(answering(0.5))
    third, _, _ = await planned(answering(0.5), comparison=3)
    assert third["test_alpha"] == pytest.approx(0.05 / 3)
    assert third["detectable"]["test"]["value"] > first["detectable"]["test"]["value"]
    assert third["detectable"]["validation"] == first["detectable"]["validation"]
    assert third["needed"]["value"] > first["needed"]["value"]
    assert any("it would be comparison 3 on these test examples" in text for text in third["advice"])


@pytest.mark.parametrize(
    ("worth", "sizes", "verdict"),
    [(0.6, (40, 24, 24), "enough"), (0.25, (60, 24, 20), "resplit"), (0.01, (40, 24, 24), "too_small")],
)
async def test_the_verdict_says_whether_the_data_can_show_what_is_worth_it(
    worth: float, sizes: tuple[int, int, int], verdict: str
) -> None:
    outcome, record, _ = await planned(answering(0.5), worth=worth, sizes=sizes)
    assert outcome["verdict"] == verdict
    assert outcome["sentence"] in [event.data["sentence"] for event in record.history if event.name == "advice"]
    assert (outcome["split"] is not None) == (verdict == "resplit")
    if outcome["split"]:
        assert sum(sizes) * outcome["split"][2] / 100 >= outcome["needed"]["value"]
        assert "/".join(map(str, outcome["split"])) in outcome["sentence"]


@pytest.mark.parametrize("total", [10, 29, 30, 160, 5000])
@pytest.mark.parametrize("needed", [1, 20, 100, 785, 4000])
def test_a_recommended_split_has_the_test_that_is_needed_and_leaves_something_to_learn_from(
    total: int, needed: int
) -> None:
    found = recommended_split(total, needed)
    if found is None:
        assert total < 30 or needed > total * (100 - LEAST_TRAIN - LEAST_VALIDATION - 1) / 100
        return
    train, validation, test = found
    assert train + validation + test == 100
    assert total * test / 100 >= needed
    assert train >= LEAST_TRAIN
    assert validation >= LEAST_VALIDATION


async def test_the_forecast_by_hand() -> None:
    outcome, _, _ = await planned(answering(0.5))
    one = outcome["expected"]["per_answer"]
    assert (one["n"], one["calls"]) == (32, 1.0)
    assert outcome["expected"]["answers"] == [100, 1000]
    assert outcome["expected"]["calls"] == [103, 1040]
    assert outcome["expected"]["tokens"][0] == round(100 * one["tokens"] + 3000)
    assert outcome["expected"]["tokens"][1] == round(1000 * (one["tokens"] + 50) + 40_000)
    assert outcome["expected"]["usd"][0] == pytest.approx(100 * one["usd"] + 0.01)
    assert outcome["expected"]["usd"][1] == pytest.approx(1000 * (one["usd"] + 0.00005) + 0.2)


async def test_a_rate_limit_makes_it_last_at_least_as_long_as_its_turns() -> None:
    fast, _, _ = await planned(answering(0.5))
    slow, _, _ = await planned(answering(0.5), rpm=60.0)
    assert slow["expected"]["minutes"][0] == pytest.approx(100 / 60, rel=0.05)
    assert fast["expected"]["minutes"][0] < 0.1


async def test_of_real_models_each_proposal_takes_its_time() -> None:
    model = ModelRef("openai/gpt", {"max_output_tokens": 20})
    outcome, _, _ = await planned(
        answering(0.5), start=Candidate("Classify.", "", model), optimizer=ModelRef("openai/gpt", {})
    )
    assert outcome["simulated"] is False
    assert outcome["expected"]["minutes"][0] == pytest.approx(3 * PROPOSAL_S / 60, rel=0.05)


async def test_an_unknown_price_stays_unknown() -> None:
    llm = answering(0.5)
    llm._price = None
    outcome, _, _ = await planned(llm)
    assert outcome["expected"]["usd"] is None
    assert outcome["expected"]["tokens"][0] > 0


async def test_a_pilot_larger_than_train_takes_all_of_it() -> None:
    outcome, _, _ = await planned(answering(0.5), examples=500)
    assert outcome["pilot"]["examples"] == 40


async def test_equal_scores_are_no_proof_of_certainty() -> None:
    outcome, _, _ = await planned(answering(1.0))
    assert outcome["spread"]["flat"] is True
    assert "no spread was measured" in outcome["advice"][0]
    assert outcome["detectable"]["test"]["value"] > 0.2
    assert outcome["noise"]["test"]["error"]["low"] == 0.0


async def test_without_a_test_split_it_says_so() -> None:
    outcome, _, _ = await planned(answering(0.5), sizes=(15, 10, 0), worth=0.9)
    assert outcome["verdict"] == "too_small"
    assert "there is no test split" in outcome["sentence"]
    assert outcome["noise"]["test"] is None
    assert outcome["detectable"]["test"] is None
    assert outcome["rows"] >= 30


async def test_a_single_train_example_gives_no_plan() -> None:
    outcome, _, _ = await planned(answering(0.5), sizes=(1, 24, 24))
    assert outcome["verdict"] == "unknown"
    assert "fewer than two examples" in outcome["sentence"]
    assert outcome["expected"]["per_answer"]["n"] == 2


async def test_answers_that_a_filter_stopped_give_no_plan_and_no_wrong_scores() -> None:
    def refuse(request: Request) -> CallError:
        return ContentFiltered("no")

    outcome, _, _ = await planned(RuleLLM(refuse))
    assert outcome["verdict"] == "unknown"
    assert outcome["pilot"]["mean"] | {} == {"mean": None, "n": 0, "asked": 32, "low": None, "high": None}
    assert outcome["advice"] == []


async def test_a_provider_that_is_down_pauses_it() -> None:
    with pytest.raises(ProviderDown):
        await planned(RuleLLM(lambda request: ServerFault("down")))


async def test_a_budget_that_ends_before_the_pilot_gives_no_plan_and_loses_nothing() -> None:
    outcome, record, _ = await planned(answering(0.5), limits=Limits(calls=10))
    assert outcome["verdict"] == "unknown"
    assert "10 calls" in outcome["sentence"]
    assert outcome["expected"] is None
    assert record.totals().calls == 10


async def test_the_same_pilot_twice_says_the_same() -> None:
    (first, one, _), (second, other, _) = [await planned(answering(0.5, flipping=3)) for _ in range(2)]
    for outcome in (first, second):
        outcome["expected"]["per_answer"]["seconds"] = outcome["expected"]["minutes"] = None  # measured by the clock
    assert first == second
    assert [e[1:] for e in one.history] == [e[1:] for e in other.history]
