"""What holds for each strategy of the table, whatever it is and whatever the optimiser replies."""

from __future__ import annotations

import pytest

from app.core.model import Candidate
from app.core.optimizers import STRATEGIES, Evidence, Proposal
from app.core.optimizers.hygiene import flaw
from app.core.templates import placeholders
from app.ports.journal import CallResult
from app.ports.llm import Json, Message, ModelRef
from tests.core.optimizers.evidence_world import FOLDER, OPTIMIZER, PARENT, TRAIN, body, evidence, member, outlook, row
from tests.fakes.rule_optimizer import propose

PARENTS = {
    "plain": PARENT,
    "placeholder": Candidate("Classify {{input}}.\nBe brief.", "Answer.", PARENT.model),
}
JUNK = [
    "",
    "I would rather not.",
    '{"system_prompt": ',
    "[]",
    '{"edits": []}',
    '{"edits": [{"target": "x"}]}',
    "null",
    "{}" * 40,
]


class RuleAsk:
    """The rule optimiser behind an ask; ``reply`` answers everything instead when it is given."""

    def __init__(self, reply: str | None = None) -> None:
        self.reply = reply
        self.asked: list[str] = []

    async def __call__(
        self, role: str, model: ModelRef, messages: list[Message], response_schema: Json = None
    ) -> CallResult:
        assert (role, model) == ("optimizer", OPTIMIZER)
        self.asked.append("\n".join(m.content for m in messages))
        plain = [{"role": m.role, "content": m.content} for m in messages]
        return CallResult(propose(plain) if self.reply is None else self.reply, finish_reason="stop")


def seen(name: str, epoch: int, parent: Candidate = PARENT, **changes: object) -> Evidence:
    template = STRATEGIES[name].template
    pool = (
        member(0, parent, v1=0.5, v2=0.0),
        member(
            1, Candidate(f"{parent.system_prompt}\nLabels: label_a, label_b.", "", parent.model), (0,), v1=0.5, v2=1.0
        ),
    )
    return evidence(
        parent=parent,
        epoch=epoch,
        outlook=outlook(*pool, epoch=epoch),
        seen=tuple(row(case, float(case.id in ("1", "3"))) for case in TRAIN[:8]),
        instructions=body(FOLDER / f"optimizer/{template}.md") if template else "",
        optimizer=OPTIMIZER if STRATEGIES[name].needs_optimizer else None,
        **changes,
    )


async def proposals(name: str, ask: RuleAsk, **changes: object) -> list[Proposal]:
    made = []
    for epoch in range(1, 7):
        found = await STRATEGIES[name].propose(seen(name, epoch, **changes), ask)
        assert len(found) <= STRATEGIES[name].children
        made += found
    return made


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("parent", PARENTS)
async def test_most_proposals_are_fit_to_be_tried(name: str, parent: str) -> None:
    """Different from the parent, within the length, placeholders kept, nothing copied: what hygiene checks."""
    made = await proposals(name, RuleAsk(), parent=PARENTS[parent])
    examples = STRATEGIES[name].adds_examples
    flaws = [flaw(p, PARENTS[parent], train=TRAIN, hidden=(), max_chars=4000, examples_allowed=examples) for p in made]
    assert len(made) >= 6
    rewrites = name in ("full_rewrite", "auto", "evolutionary", "reflective_pareto")
    forgotten = "it lost the placeholder {{input}}"  # the fake optimiser forgets it whenever it writes a prompt anew
    assert {f for f in flaws if f} <= ({forgotten} if rewrites else set())
    if parent == "plain":
        assert not any(flaws)


@pytest.mark.parametrize("name", ["targeted_edit", "example_addition"])
async def test_placeholders_outside_an_edit_stay(name: str) -> None:
    for proposal in await proposals(name, RuleAsk(), parent=PARENTS["placeholder"]):
        assert placeholders(proposal.system_prompt) == placeholders(PARENTS["placeholder"].system_prompt)


@pytest.mark.parametrize("name", STRATEGIES)
async def test_the_same_seed_and_evidence_give_the_same_proposals(name: str) -> None:
    first, second = await proposals(name, RuleAsk()), await proposals(name, RuleAsk())
    assert first == second
    parents = {STRATEGIES[name].parent(seen(name, epoch).outlook) for epoch in range(1, 20)}
    assert parents <= {0, 1}


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("junk", JUNK)
async def test_junk_ends_nothing_and_makes_no_proposal_of_it(name: str, junk: str) -> None:
    made = await proposals(name, RuleAsk(junk))
    assert all(junk not in (p.system_prompt, p.output_prompt) for p in made if junk)
    assert all(p.parents or "<examples>" in p.system_prompt for p in made), "what needs no reply may still come"


@pytest.mark.parametrize("name", [n for n, s in STRATEGIES.items() if s.needs_optimizer])
async def test_the_optimiser_sees_train_rows_alone(name: str) -> None:
    ask = RuleAsk()
    hidden = member(5, Candidate("Task.", "", PARENT.model), (0,), secret_validation_case=1.0)
    one = seen(name, 3)
    pool = outlook(*one.outlook.members, hidden, epoch=3)
    await STRATEGIES[name].propose(evidence(**{**vars(one), "outlook": pool}), ask)
    shown = "\n".join(ask.asked)
    assert any(case.input in shown for case in TRAIN[:8])
    assert "secret_validation_case" not in shown


@pytest.mark.parametrize("name", STRATEGIES)
def test_each_says_what_it_does_in_a_sentence(name: str) -> None:
    strategy = STRATEGIES[name]
    assert strategy.name == name
    assert strategy.summary.endswith(".")
    assert len(strategy.summary) < 240
    assert bool(strategy.template) == strategy.needs_optimizer
