"""A search stops when a further point costs more than it may; by what is on record, so that a replay stops there too."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.kinds.train import train
from app.core.stats.worth import next_epoch
from app.store.memory import MemoryRecord
from tests.core.training_world import engine, models, training
from tests.fakes.llm import RuleLLM


async def conduct(llm: RuleLLM, record: MemoryRecord | None = None, **changes: Any) -> tuple[Any, MemoryRecord]:
    record = record or MemoryRecord()
    run = engine(llm, record.claim(), resumed=record.fence > 1)
    spec = training(**{"epochs": 8, "patience": 8} | changes)
    return await run.conduct(lambda run: train(run, spec)), record


def ends(record: MemoryRecord) -> list[Any]:
    return [event.data for event in record.history if event.name == "epoch_end"]


async def test_the_costs_of_the_epochs_add_up_to_what_was_spent_on_them() -> None:
    outcome, record = await conduct(models())
    steps = {key: step.value for key, step in record.steps.items() if key.startswith("price/")}
    assert len(steps) == outcome["epochs"] + 1
    assert sum(end["usd"] for end in ends(record)) == pytest.approx(
        steps[f"price/{outcome['epochs']}"] - steps["price/0"]
    )
    tested = sum(sample.cost_usd or 0.0 for sample in record.samples.values() if sample.split == "test")
    assert steps[f"price/{outcome['epochs']}"] == pytest.approx(record.totals().cost_usd - tested)


async def test_the_gains_of_the_epochs_add_up_to_what_validation_rose_by() -> None:
    outcome, record = await conduct(models(junk=0.0))
    rose = outcome["validation"]["final"]["mean"] - outcome["validation"]["initial"]["mean"]
    assert rose > 0
    assert sum(end["gain"] for end in ends(record)) == pytest.approx(rose)


async def test_it_stops_at_the_first_epoch_whose_next_point_costs_more() -> None:
    free, record = await conduct(models())
    prices = [end["usd_per_point"] for end in ends(record)]
    assert prices[0] is None  # one epoch is one draw
    limit = sorted(price for price in prices[1:-1] if price)[-1] * 0.999
    first = next(at for at, price in enumerate(prices, start=1) if price and price > limit)
    outcome, record = await conduct(models(), stop_above_usd_per_point=limit)
    assert outcome["stopped_by"] == "not_worth"
    assert outcome["epochs"] == first < free["epochs"]
    assert outcome["test"]["paired"]["n"] == 24  # the sealed test follows all the same
    gains, costs = zip(*((end["gain"], end["usd"]) for end in ends(record)), strict=True)
    worth = next_epoch(gains, costs, best=outcome["validation"]["final"]["mean"])
    assert worth is not None
    assert ends(record)[-1]["usd_per_point"] == pytest.approx(worth.usd_per_point, rel=1e-4)
    assert f"{100 * worth.gain:.2g} points" in outcome["stopped_why"]
    assert "$" in outcome["stopped_why"]


async def test_a_high_limit_changes_nothing() -> None:
    (free, _), (limited, _) = await conduct(models()), await conduct(models(), stop_above_usd_per_point=1e6)
    assert free == limited


async def test_even_the_least_price_lets_two_epochs_be_tried() -> None:
    outcome, _ = await conduct(models(), stop_above_usd_per_point=1e-12)
    assert (outcome["stopped_by"], outcome["epochs"]) == ("not_worth", 2)


async def test_an_unknown_price_never_stops_it_and_says_so_once() -> None:
    llm = models()
    llm._price = None
    outcome, record = await conduct(llm, stop_above_usd_per_point=1e-12)
    assert outcome["stopped_by"] != "not_worth"
    assert [end["usd"] for end in ends(record)] == [None] * outcome["epochs"]
    told = [event.data["text"] for event in record.history if event.name == "log"]
    assert sum("price of a model is unknown" in text for text in told) == 1


async def test_without_a_limit_an_unknown_price_is_nothing_to_speak_of() -> None:
    llm = models()
    llm._price = None
    _, record = await conduct(llm)
    assert not any("price" in event.data["text"] for event in record.history if event.name == "log")


async def test_a_replay_stops_where_the_run_had_stopped_whatever_it_has_spent_since() -> None:
    llm = models()
    first, record = await conduct(llm, stop_above_usd_per_point=1e-12)
    paid = len(llm.paid)
    again, _ = await conduct(llm, record, stop_above_usd_per_point=1e-12)
    assert again == first
    assert len(llm.paid) == paid


async def test_runs_of_the_first_releases_have_no_ledger() -> None:
    outcome, record = await conduct(models(), has_ledger=False)
    assert not any(key.startswith("price/") for key in record.steps)
    assert not any("usd" in end for end in ends(record))
    with_ledger, _ = await conduct(models())
    assert outcome == with_ledger
