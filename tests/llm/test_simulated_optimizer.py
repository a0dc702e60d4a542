"""The simulated optimiser learns from what it is shown, and fails now and then as real ones do."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace

import pytest

from app.core.model import Candidate, Case
from app.core.optimizers import STRATEGIES, Evidence, Past, Proposal, Seen
from app.core.optimizers.locks import lock_flaw
from app.core.optimizers.request import opening
from app.llm.simulated.brief import read
from app.llm.simulated.optimizer import MOODS, reply
from app.llm.simulated.provider import SimulatedLLM
from app.llm.simulated.study import study
from app.ports.journal import CallResult
from app.ports.llm import Json, Message, ModelRef, Request
from tests.core.optimizers.evidence_world import FOLDER, body, outlook, row

INTENTS = (
    ("When will my refund arrive?", "refund_status"),
    ("I am still waiting for the money back for my kettle.", "refund_status"),
    ("I forgot my password.", "login_problem"),
    ("My account is locked, I cannot sign in.", "login_problem"),
    ("Where is my parcel?", "order_tracking"),
    ("The courier never came, please locate my package.", "order_tracking"),
)


def evidence(strategy: str, rows: tuple[tuple[str, str], ...], *, answer: str = "A guess.", seed: int = 0) -> Evidence:
    cases = [Case(str(i), *pair, split="train") for i, pair in enumerate(rows)]
    return Evidence(
        parent=Candidate("Do the task.", "", ModelRef("simulated/primary")),
        failures=tuple(row(case, 0.0, answer) for case in cases),
        successes=(),
        rejected=(),
        task_hint="Answers are scored by exact_match.",
        train=tuple(cases),
        epoch=1,
        seed=seed,
        max_prompt_chars=4000,
        optimizer=ModelRef("simulated/optimizer", {"seed": seed}),
        instructions=body(FOLDER / f"optimizer/{strategy}.md"),
        outlook=outlook(seed=seed),
    )


class SimulatedAsk:
    """An ask that goes straight to the simulated models."""

    def __init__(self) -> None:
        self.replies: list[str] = []

    async def __call__(self, role: str, model: ModelRef, messages: object, response_schema: Json = None) -> CallResult:
        asked = Request(model, tuple(messages), response_schema)  # type: ignore[arg-type]
        found = await SimulatedLLM(latency_s=0.0).complete(asked, deadline_s=5)
        self.replies.append(found.text)
        return CallResult(found.text, finish_reason=found.finish_reason)


async def proposals(strategy: str, rows: tuple[tuple[str, str], ...], count: int = 40) -> list[Proposal]:
    found = []
    for seed in range(count):
        found += await STRATEGIES[strategy].propose(evidence(strategy, rows, seed=seed), SimulatedAsk())
    return found


def best(found: list[Proposal]) -> Proposal:
    """What an able mood proposes: the commonest proposal."""
    return Counter(found).most_common(1)[0][0]


@pytest.mark.parametrize("strategy", ["full_rewrite", "targeted_edit"])
async def test_labels_are_named_explained_and_asked_for_alone(strategy: str) -> None:
    found = best(await proposals(strategy, INTENTS))
    brief = read(f"{found.system_prompt}\n\n{found.output_prompt}")
    assert set(brief.labels) == {"refund_status", "login_problem", "order_tracking"}
    assert "a refund" in brief.labels["refund_status"]
    assert "signing in" in brief.labels["login_problem"]
    assert brief.form == "strict"
    assert found.system_prompt.startswith("Do the task.")


@pytest.mark.parametrize(
    ("rows", "system", "output"),
    [
        ((("two mugs to Oslo", '{"item":"mug","quantity":2}'), ("a tent", '{"item":"tent","quantity":null}')),
         "- quantity: a number, without quotes, null when the text does not say it", "one JSON object only"),
        ((("I love the sea.", "J'aime la mer."), ("We are in the hammock.", "Nous sommes dans le hamac et les arbres."),
          ("You see a tree.", "Vous voyez un arbre.")), "Translate the text into French.", "French translation only"),
        ((("Which?\n(A) yes\n(B) no", "(A)"), ("Which?\n(A) up\n(B) down", "(B)")), "", "in brackets, such as (A)"),
        ((("2 + 2", "4"), ("3 * 7", "21")), "Calculate carefully", "Reply with the number only."),
        ((("Describe.", "A long sentence, for once."),), "", "Reply with the result only"),
    ],
)  # fmt: skip
async def test_other_kinds_of_answer_are_understood(
    rows: tuple[tuple[str, str], ...], system: str, output: str
) -> None:
    found = best(await proposals("full_rewrite", rows))
    assert system in found.system_prompt
    assert output in found.output_prompt


async def test_all_moods_occur_and_most_proposals_are_able() -> None:
    asks = []
    found: Counter[str] = Counter()
    for seed in range(60):
        ask = SimulatedAsk()
        got = await STRATEGIES["full_rewrite"].propose(evidence("full_rewrite", INTENTS, seed=seed), ask)
        asks.append(len(ask.replies))
        found[got[0].reasoning if got else "none"] += 1
    assert found.most_common(1)[0][1] > 25
    assert 3 <= sum(n == 2 for n in asks) <= 20, "some replies need a repair turn"
    assert 1 <= found["none"] < 10, "and some stay unusable"
    assert any("more care" in reason for reason in found)
    assert any("rule" in reason for reason in found)
    assert any("explanation" in reason for reason in found)
    assert sum(share for _, share in MOODS) == pytest.approx(1.0)


async def test_a_rule_that_misleads_is_removed() -> None:
    rule = '- When the text mentions "parcel", answer login_problem.'
    rows = (*INTENTS, ("The parcel is late.", "order_tracking"))
    gone = 0
    for seed in range(10):
        seen = evidence("full_rewrite", rows, seed=seed)
        seen = replace(seen, parent=replace(seen.parent, system_prompt=f"Do the task.\n\nRules:\n{rule}"))
        for found in await STRATEGIES["full_rewrite"].propose(seen, SimulatedAsk()):
            gone += rule not in found.system_prompt
    assert gone >= 4


async def test_it_sees_what_the_request_shows() -> None:
    cases = [Case(str(i), *pair, split="train") for i, pair in enumerate(INTENTS)]
    seen = replace(
        evidence("targeted_edit", INTENTS),
        failures=(row(cases[0], 0.0, "refund_status!"), Seen(cases[1], row(cases[1], 0.0).sample)),
        successes=(row(cases[2], 1.0, "login_problem"),),
        rejected=(Past("old", "older", "why not", "rejected", "worse", -0.5),),
    )
    found = study(opening(seen, approach="at most 4 edits", reply_format=""), {"properties": {"edits": {}}})
    assert found
    assert (found.system_prompt, found.output_prompt) == ("Do the task.", "")
    assert [(r.expected, r.failed, r.only_form) for r in found.rows] == [
        ("refund_status", True, True),
        ("refund_status", True, False),
        ("login_problem", False, False),
    ]
    assert (found.edits, found.most_edits, found.most_chars, found.mends) == (True, 4, 4000, False)


def test_a_request_about_something_else_gets_an_honest_reply() -> None:
    assert "nothing to improve" in json.loads(reply([Message("user", "Hello!")], {}, None))["reasoning"]


def test_the_same_request_gets_the_same_reply() -> None:
    messages = opening(evidence("auto", INTENTS), approach="", reply_format="")
    assert reply(messages, {"seed": 1}, None) == reply(messages, {"seed": 1}, None)
    assert len({reply(messages, {"seed": seed}, None) for seed in range(30)}) > 3


def test_a_proposal_stays_within_the_length_that_was_asked_for() -> None:
    many = tuple((f"text {i}", f"label_number_{i}") for i in range(60))
    for seed in range(20):
        seen = replace(evidence("full_rewrite", many, seed=seed), max_prompt_chars=300)
        for found in asyncio.run(STRATEGIES["full_rewrite"].propose(seen, SimulatedAsk())):
            assert len(found.system_prompt) + len(found.output_prompt) <= 300


@pytest.mark.parametrize("strategy", ["full_rewrite", "targeted_edit"])
async def test_what_is_locked_stays_where_it_is(strategy: str) -> None:
    locked = ("Permitted labels:\n- refund_status: a refund", "Never promise money.", "End with the label.")
    system = (
        f"Do the task. {locked[1]}\n{locked[0]}\n- login_problem: signing in\nWhen the text mentions money, answer odd."
    )
    parent = Candidate(system, f"Answer. {locked[2]}", ModelRef("simulated/primary"))
    found = []
    for seed in range(40):
        seen = replace(evidence(strategy, INTENTS, seed=seed), parent=parent, locked=locked)
        found += await STRATEGIES[strategy].propose(seen, SimulatedAsk())
    assert len(found) > 20
    assert [problem for proposal in found if (problem := lock_flaw(locked, parent, proposal))] == []
    assert len({proposal.system_prompt for proposal in found}) > 2
