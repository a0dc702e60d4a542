"""The optimiser benchmark measures what it says: exact truths, one reflector for all, and our engine as it is."""

from __future__ import annotations

import random
import statistics

import pytest

from app.core.kinds.train import train
from app.store.memory import MemoryRecord
from benchmarks.optimizers import gates, greedy, ours
from benchmarks.optimizers.figures import accuracy, ratio, reached, shipped
from benchmarks.optimizers.reflector import Change, Row, edits, reflect, rewritten
from benchmarks.optimizers.report import render
from benchmarks.optimizers.trace import SIZES, Trace
from benchmarks.optimizers.worlds import FORM, START, WORLDS, World, joined, read

BEST = "\n".join(["Handle the note.", FORM])


def perfect(world: World) -> str:
    return "\n".join([BEST, *[f"On {name}: use the precise rule." for name in world.features]])


@pytest.mark.parametrize("name", WORLDS)
def test_the_true_accuracy_is_what_many_cases_show(name: str) -> None:
    world = World(name, 3)
    [cases] = world.cases(20_000)
    for prompt in (joined(*START), f"{BEST}\nOn {world.features[0]}: use the rough rule.", perfect(world)):
        shown = statistics.fmean(world.right(prompt, case) for case in cases)
        assert shown == pytest.approx(world.accuracy(prompt), abs=0.012)
    assert world.accuracy(perfect(world)) == pytest.approx(world.best)


def test_what_a_prompt_says_counts_as_documented() -> None:
    world = World("rules", 0)
    [name, other] = [world.features[0], world.near[world.features[0]][0]]
    alone, both = (name,), tuple(sorted((name, other)))
    known = read(f"{BEST}\nOn {name}: use the precise rule.")
    assert world.chance(alone, known) == pytest.approx(0.95)
    assert world.chance(both, known) == pytest.approx(0.95 * 0.4), "rules interact: both are needed"
    spilling = read(f"{BEST}\nOn {name}: use the precise rule.\nOn {other}: use the rough rule.")
    assert world.chance(alone, spilling) == pytest.approx(0.95 * 0.85)
    idle = read(f"{BEST}\nOn {name}: use the precise rule.\nRemember: this.\nAlways: stress {name}.")
    assert world.chance(alone, idle) == pytest.approx(0.95 * 0.98 * 0.6)
    assert world.chance(alone, read(f"On {name}: use the precise rule.")) == pytest.approx(0.95 * 0.75)
    later = read(f"On {name}: use the precise rule.\nOn {name}: use the wrong rule.")
    assert later.rules == {name: "wrong"}


def test_the_reflector_helps_more_often_than_it_harms_except_where_it_is_said_not_to() -> None:
    better = {}
    for name in WORLDS:
        world, gains = World(name, 1), []
        rows = [Row(case.features, False) for case in world.cases(8)[0]]
        for seed in range(300):
            luck = random.Random(seed)
            change = reflect(world, START, rows, most=3, luck=luck)
            gains.append(world.accuracy(rewritten(joined(*START), change, luck)) - world.accuracy(joined(*START)))
        better[name] = sum(g > 0.005 for g in gains) / len(gains)
    assert better["rules"] > 0.5
    assert better["labels"] > 0.5
    assert better["mostly harmful"] < 0.4


def test_edits_change_what_a_rewrite_changes_and_lose_nothing() -> None:
    prompts = ("Handle the note.\nOn amber: use the rough rule.", "Answer.")
    change = Change({"amber": "precise", "basil": "rough"}, idle="Remember: x.", form=True)
    made = edits(prompts, change, most=9)
    assert [e["find"] for e in made] == ["On amber: use the rough rule.", "", "", ""]
    assert [e["replace"] or e["append"] for e in made][:2] == [
        "On amber: use the precise rule.",
        "On basil: use the rough rule.",
    ]


@pytest.mark.parametrize("strategy", ["auto", "full_rewrite"])
async def test_the_quick_way_tells_the_same_story_as_the_whole_engine(strategy: str) -> None:
    histories = []
    for quick in (True, False):
        world = World("rules", 2)
        spec, items = ours.training(world, strategy, (40, 16, 12), epochs=4)
        models, record = ours.Models(world, items), MemoryRecord()
        run = ours.Quick(models, record.claim(), 10**9) if quick else ours.engine(models, record.claim())
        outcome = await run.conduct(lambda run, spec=spec: train(run, spec))  # type: ignore[misc]
        histories.append((outcome, [e[1:] for e in record.history], models.rollouts, models.reflections))
    assert histories[0] == histories[1]


async def test_a_run_ends_with_its_rollouts_and_its_trace_rises() -> None:
    trace = await ours.run("rules", 1, 400, "auto")
    assert trace.rollouts == 400
    assert trace.steps[0] == (0, joined(*START))
    spent = [at for at, _ in trace.steps]
    assert spent == sorted(spent)
    assert spent[-1] <= 400
    assert trace.at(10) == joined(*START)
    assert accuracy("rules", {1: trace}, 400) > accuracy("rules", {1: trace}, 100)


def test_the_greedy_loop_spends_what_it_may() -> None:
    trace = greedy.run("labels", 0, 300)
    assert 300 <= trace.rollouts < 400
    assert all(at <= 300 for at, _ in trace.steps)


def test_figures_by_hand() -> None:
    world = World("labels", 5)
    trace = Trace([(0, joined(*START)), (120, BEST), (250, perfect(world))])
    assert reached("labels", {5: trace}, 600) == {5: 250}
    assert reached("labels", {5: trace}, 200) == {5: 200}
    assert accuracy("labels", {5: trace}, 249) == pytest.approx(world.accuracy(BEST))
    assert shipped("labels", {5: trace}, 2 * SIZES[2]) == pytest.approx(world.accuracy(joined(*START)))
    assert shipped("labels", {5: trace}, 600) == pytest.approx(world.best), (
        "a difference that large is shown by 100 cases"
    )
    mean, low, high = ratio([{1: 100, 2: 100}], [{1: 200, 2: 200}])
    assert (mean, low, high) == pytest.approx((0.5, 0.5, 0.5))


@pytest.mark.slow
def test_the_gate_simulator_ships_nothing_worse_and_the_tables_can_be_made() -> None:
    ship, errors = gates.ship(12), gates.errors(6)
    assert ship["ship_worse"] == 0
    assert errors["accepted"] == errors["accepted_with_errors"], "errors that are asked again change nothing"
    text = render(
        {
            "seeds": [0, 1],
            "most": 600,
            "worlds": {},
            "ratios": {"auto": (0.5, 0.4, 0.6)},
            "ship": ship,
            "errors": errors,
        }
    )
    assert "| `auto` | 0.50 | 0.40 to 0.60 |" in text
    assert "0.00% of 12 runs" in text
