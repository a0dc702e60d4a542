"""Which parents the strategies take, and what they make of several: fronts, tournaments, lineages, crossovers, places."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from app.core.model import Candidate
from app.core.optimizers import STRATEGIES, Evidence, Member, Trial
from app.core.optimizers.auto import ARMS, places, value
from app.core.optimizers.evolutionary import POPULATION, crossover, population
from app.core.optimizers.reflective_pareto import LOOSENED, ancestors, fronts, lineages, near_best, stale
from tests.core.optimizers.evidence_world import PARENT, ScriptedAsk, evidence, member, outlook


def pair(system_prompt: str, output_prompt: str = "Answer.") -> Candidate:
    return Candidate(system_prompt, output_prompt, PARENT.model)


BASE = pair("Task.\nRule a.")
FAMILY = (
    member(0, BASE, x=0.0, y=0.0, z=1.0),
    member(1, pair("Task.\nRule A."), (0,), x=1.0, y=0.0, z=1.0),
    member(2, pair("Task.\nRule a.\nRule c."), (0,), x=0.0, y=1.0, z=1.0),
    member(3, pair("Task.\nRule A.\nRule d."), (1,), x=1.0, y=0.0, z=1.0),
)


def seen(*members: Member, best: int = 1, parent: int = 1, epoch: int = 4) -> Evidence:
    known = {m.number: m for m in members}
    return evidence(
        "reflective_pareto",
        parent=known[parent].candidate,
        parent_number=parent,
        outlook=outlook(*members, best=best, epoch=epoch),
        epoch=epoch,
    )


def test_fronts_share_an_example_among_the_best_on_it() -> None:
    assert fronts(FAMILY[:3]) == Counter({0: 333, 1: 1000 + 333, 2: 1000 + 333})


def test_parents_far_below_the_best_are_left_out() -> None:
    assert [m.number for m in near_best(outlook(*FAMILY, best=1))] == [1, 2, 3]
    stranger = member(4, pair("x"), (0,), unseen=1.0)
    assert 4 not in [m.number for m in near_best(outlook(*FAMILY, stranger, best=1))]


def test_the_best_is_the_parent_until_the_search_is_stuck() -> None:
    strategy = STRATEGIES["reflective_pareto"]
    fresh = outlook(*FAMILY, best=1, epoch=3, trials=(Trial("x", 1, 0.1, 9),))
    assert stale(fresh) == 1
    assert strategy.parent(fresh) == 1
    stuck = [outlook(*FAMILY, best=1, epoch=2 + LOOSENED + i, trials=(Trial("x", 1, 0.1, 9),)) for i in range(40)]
    taken = [strategy.parent(one) for one in stuck]
    assert set(taken) == {1, 2, 3}
    assert taken == [strategy.parent(one) for one in stuck]


def test_ancestors_go_back_to_the_initial_prompts() -> None:
    merger = member(5, pair("m"), (3, 2))
    assert ancestors(outlook(*FAMILY, merger), 5) == {0, 1, 2, 3, 5}
    assert ancestors(outlook(*FAMILY), 0) == {0}


def test_another_lineage_brings_in_what_it_does_better() -> None:
    found = lineages(seen(*FAMILY, parent=3, best=3))
    assert found is not None
    assert found.system_prompt.splitlines() == ["Task.", "Rule A.", "Rule d.", "Rule c."]
    assert found.parents == (2,)


def test_a_lineage_that_helps_nowhere_or_was_merged_already_is_left_alone() -> None:
    weak = member(2, pair("Task.\nRule a.\nRule c."), (0,), x=0.0, y=0.0, z=1.0)
    assert lineages(seen(FAMILY[0], FAMILY[1], weak)) is None
    merger = member(5, pair("m"), (1, 2), x=1.0)
    assert lineages(seen(*FAMILY[:3], merger)) is None
    assert lineages(seen(FAMILY[0], FAMILY[1])) is None


async def test_pareto_makes_several_proposals_each_from_its_own_view() -> None:
    edit = json.dumps({"edits": [{"target": "system_prompt", "append": "New."}], "reasoning": "r"})
    rewrite = json.dumps({"system_prompt": "Anew.", "output_prompt": "Also.", "reasoning": "r"})
    ask = ScriptedAsk(edit, rewrite)
    found = await STRATEGIES["reflective_pareto"].propose(seen(*FAMILY), ask)
    assert [p.system_prompt for p in found] == ["Task.\nRule A.\nNew.", "Anew.", "Task.\nRule A.\nRule c."]
    assert found[1].output_prompt == "Answer.", "only the component to blame changes"
    assert "change the system prompt alone" in ask.asked[1][1].content


async def test_the_output_prompt_is_to_blame_for_the_form() -> None:
    wordy = seen(*FAMILY)
    shown = tuple(replace(r, sample=replace(r.sample, response=f"It is {r.case.reference}!")) for r in wordy.failures)
    edit = json.dumps({"edits": [{"target": "system_prompt", "append": "New."}], "reasoning": "r"})
    rewrite = json.dumps({"system_prompt": "Anew.", "output_prompt": "Only the label.", "reasoning": "r"})
    found = await STRATEGIES["reflective_pareto"].propose(replace(wordy, failures=shown), ScriptedAsk(edit, rewrite))
    assert (found[1].system_prompt, found[1].output_prompt) == ("Task.\nRule A.", "Only the label.")


def test_the_population_is_the_elite() -> None:
    many = [member(i, pair(str(i)), (), v=i / 20) for i in range(12)]
    partly = replace(many[11], complete=False)
    found = [m.number for m in population(outlook(*many[:11], partly, best=3))]
    assert found == [3, 10, 9, 8, 7, 6]
    assert len(found) == POPULATION


def test_tournaments_prefer_the_better_ones_and_give_others_a_chance() -> None:
    many = [member(i, pair(str(i)), (), v=i / 20) for i in range(6)]
    wins = Counter(STRATEGIES["evolutionary"].parent(outlook(*many, best=5, epoch=e)) for e in range(1, 301))
    assert wins[5] > wins[4] > wins[3] > 0
    assert wins[0] == wins[1] == 0, "three of six are drawn, so the two worst never win"


def test_a_crossover_takes_changes_of_both_and_is_repeatable() -> None:
    texts = set()
    for epoch in range(1, 30):
        found = crossover(seen(*FAMILY[:3], parent=1, epoch=epoch))
        assert found == crossover(seen(*FAMILY[:3], parent=1, epoch=epoch))
        if found:
            assert found.parents == (2,)
            texts.add(found.system_prompt)
    assert texts == {"Task.\nRule A.\nRule c."}, "everything else would be a member again"
    assert crossover(seen(FAMILY[0], FAMILY[1], parent=1)) is None


def test_places_go_to_what_brings_more_per_rollout() -> None:
    trials = tuple(Trial("full_rewrite", epoch, 0.1, 60) for epoch in range(1, 6))
    trials += tuple(Trial("targeted_edit", epoch, 0.0, 60) for epoch in range(1, 6))
    late = outlook(*FAMILY, epoch=6, trials=trials)
    assert value("full_rewrite", late) > 3 * value("targeted_edit", late)
    given = Counter(name for seed in range(200) for name in places(replace(late, seed=seed), 3))
    assert given["full_rewrite"] > 2 * given["targeted_edit"]
    assert set(given) == set(ARMS), "none is forgotten"


def test_old_gains_fade() -> None:
    early = (Trial("full_rewrite", 1, 0.3, 60),)
    values = [value("full_rewrite", outlook(*FAMILY, epoch=epoch, trials=early)) for epoch in (2, 10, 40)]
    assert values[0] == pytest.approx(values[1])  # nothing was spent since, so nothing is known to have changed
    spent = (*early, *(Trial("full_rewrite", epoch, 0.0, 60) for epoch in range(2, 40)))
    assert value("full_rewrite", outlook(*FAMILY, epoch=40, trials=spent)) < values[0] / 5


async def test_auto_names_who_made_each_proposal_and_makes_none_twice() -> None:
    reply = json.dumps(
        {
            "system_prompt": "Anew.",
            "output_prompt": "Answer.",
            "reasoning": "r",
            "edits": [{"target": "system_prompt", "append": "X"}],
        }
    )
    for epoch in range(1, 8):
        found = await STRATEGIES["auto"].propose(seen(*FAMILY, epoch=epoch), ScriptedAsk(*[reply] * 6))
        assert 1 <= len(found) <= 3
        assert {p.strategy for p in found} <= set(ARMS)
        assert len({(p.system_prompt, p.output_prompt) for p in found}) == len(found)


def test_auto_leaves_a_plateau_by_other_parents() -> None:
    strategy = STRATEGIES["auto"]
    going = outlook(*FAMILY, best=1, epoch=3, trials=(Trial("x", 1, 0.1, 9), Trial("x", 2, 0.1, 9)))
    assert strategy.parent(going) == 1
    stuck = tuple(Trial("x", epoch, 0.0, 9) for epoch in range(1, 30))
    taken = [strategy.parent(outlook(*FAMILY, best=1, epoch=epoch, trials=stuck)) for epoch in range(30, 70)]
    assert set(taken) == {1, 2, 3}
